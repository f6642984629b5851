"""Async twins of methods that take their time."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

_Self = TypeVar("_Self")
_Taken = ParamSpec("_Taken")
_Given = TypeVar("_Given")


def twin(
    method: Callable[Concatenate[_Self, _Taken], _Given],
) -> Callable[Concatenate[_Self, _Taken], Coroutine[Any, Any, _Given]]:
    """The method as a coroutine: it runs in a thread, so that the running loop goes on.

    Cancelling the coroutine ends the waiting; the thread finishes what it began.
    """

    @wraps(method)
    async def called(self: _Self, /, *args: _Taken.args, **kwargs: _Taken.kwargs) -> _Given:
        import asyncio

        return await asyncio.to_thread(method, self, *args, **kwargs)

    called.__name__ = f"a{method.__name__}"
    called.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.{called.__name__}"
    called.__doc__ = f"`{method.__name__}`, awaited: it runs in a thread of its own."
    return called
