"""The page: a few files of this package, named here one by one, sent as they are."""

import hashlib
from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import Response

FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page/style.css": ("style.css", "text/css; charset=utf-8"),
    "/page/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
}


def add(app: FastAPI) -> None:
    """Serves the page at `/`, and what belongs to it below `/page/`."""
    folder = files("qa.server") / "page"
    for path, (name, media_type) in FILES.items():
        app.add_route(
            path,
            _sender((folder / name).read_bytes(), media_type),
            methods=["GET"],
            include_in_schema=False,
        )


def _sender(data: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=media_type)

    return send
