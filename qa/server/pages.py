"""The page: one document with its style in it, a script, and an icon, all of this package."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def add(app: FastAPI) -> None:
    """Serves the page at `/`, and what belongs to it below `/page/`."""
    folder = files("qa.server") / "page"
    document, style, script, icon = (
        (folder / name).read_text("utf-8")
        for name in ("index.html", "style.css", "app.js", "icon.svg")
    )
    # Nothing but the document itself stands between the response and the first paint.
    document = document.replace("/* style.css */", style).replace("<!-- icon.svg -->", icon)
    own = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = {"Content-Security-Policy": _POLICY.format(own)}
    for path, text, media_type, headers in (
        ("/", document, "text/html; charset=utf-8", policy),
        ("/page/app.js", script, "text/javascript; charset=utf-8", {}),
        ("/page/icon.svg", icon, "image/svg+xml", {}),
    ):
        send = _sender(text.encode(), media_type, headers)
        app.add_route(path, send, methods=["GET"], include_in_schema=False)


def _sender(
    data: bytes, media_type: str, more: Mapping[str, str]
) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", **more}

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=media_type)

    return send
