"""Where the server listens, who may ask, how long it may take and how much it may be."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, seconds of each part of an exchange, and exchanges at once."""

    body_bytes: int = 256 * 1024
    upload_bytes: int = 16 * 1024**2
    head_s: float = 10.0
    body_s: float = 20.0
    answer_s: float = 60.0
    add_s: float = 600.0
    at_once: int = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is run.

    `token` is wanted from everyone who asks for more than the page; None lets all programs of
    this machine ask. `roots` are the folders below which articles may be added by path. `names`
    are host names, beside localhost, under which the server may be asked.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    writable: bool = False
    roots: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def is_named(self, host: str) -> bool:
        """Whether a request may call the server by a `Host`, as a defence from DNS rebinding.

        Numbers cannot be rebound, names can: of those only localhost and `names` will do.
        """
        name = host_name(host)
        if name is None:
            return False
        if name in self.names or is_loopback(name):
            return True
        return not self.is_local() and _is_number(name)


def host_name(host: str) -> str | None:
    """The name or number in a `Host` header, in lower case without the port; None if it is none."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    if port and not (port.isascii() and port.isdigit()):
        return None
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    elif ":" in name:
        return None
    return name.lower().rstrip(".") or None


def is_loopback(name: str) -> bool:
    """Whether a host's name or number is this machine's own."""
    return name in LOOPBACK or (_is_number(name) and ipaddress.ip_address(name).is_loopback)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
