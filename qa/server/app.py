"""The application: endpoints, page, description, and errors as problems, behind the guard."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from qa.bot import Bot
from qa.errors import QaError
from qa.server import api, openapi, pages, problems
from qa.server.guard import Guard
from qa.server.problems import Problem, ProblemError
from qa.server.settings import Settings

# Nothing leaves the machine, whatever collector some other package may have set up.
_SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

_SAID = {
    404: "There is nothing at this address. What there is: /v1/openapi.json",
    405: "Not with this method. What there is: /v1/openapi.json",
    415: "Send JSON, and say so: Content-Type: application/json",
}


def create_app(bot: Bot, settings: Settings | None = None) -> Guard:
    """The server of a bot as an ASGI application.

    Example:
        >>> from qa import Bot
        >>> from qa.server.app import create_app
        >>> app = create_app(Bot.open("library", create=True))  # for uvicorn or any other
    """
    settings = settings or Settings()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=_SILENT)
    app.include_router(api.router(bot, settings))
    pages.add(app)
    _add_handlers(app)
    described = openapi.document(app, version("article-qa"))

    async def description(_: Request) -> Response:
        return JSONResponse(described)

    app.add_route("/v1/openapi.json", description, methods=["GET"], include_in_schema=False)
    return Guard(app, settings)


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(QaError)
    async def failed(request: Request, error: QaError) -> Response:
        return _reply(request, problems.of_error(error))

    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        return _reply(request, error.problem)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and not (sent == "application/json" or sent.endswith("+json")):
            return _reply(request, problems.of_status(415, _SAID[415]))
        return _reply(request, problems.invalid(error.errors()))

    @app.exception_handler(Exception)
    async def failed_by_fault(_: Request, __: Exception) -> Response:
        # It is raised again for the guard, who puts it in the log.
        return _response(problems.FAULT)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        said = _SAID.get(error.status_code, error.detail)
        return _reply(request, problems.of_status(error.status_code, said, error.headers))


def _reply(request: Request, problem: Problem) -> Response:
    problems.note(request.scope, problem)
    return _response(problem)


def _response(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, problem.headers, media_type=problems.MEDIA_TYPE)
