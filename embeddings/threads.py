"""Settles how many threads the numerical libraries take; call it before they are imported."""

import os


def settle() -> None:
    """Lets idle threads sleep instead of spinning, unless the environment says otherwise.

    OpenMP's threads spin for work by default; on a busy machine that costs a single question more
    than its arithmetic does.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
