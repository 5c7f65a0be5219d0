"""The compiled functions built in other ways: uncompiled, or compiled with checked array bounds."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba import njit
from numba.core.dispatcher import Dispatcher

Build = Callable[[FunctionType], Any]


def rebuilt(function: Any, build: Build, done: dict[Any, Any] | None = None) -> Any:
    """A compiled function, and every compiled function it calls, built again by `build`."""
    done = {} if done is None else done
    if function not in done:
        plain = function.py_func
        names = dict(plain.__globals__)
        for name, value in plain.__globals__.items():
            if isinstance(value, Dispatcher) and name in plain.__code__.co_names:
                names[name] = rebuilt(value, build, done)
        done[function] = build(FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__))
    return done[function]


def uncompiled(function: Any) -> Any:
    """The function in plain Python: a read beyond the end of an array is an IndexError."""
    return rebuilt(function, lambda plain: plain)


def bounds_checked(function: Any) -> Any:
    """The function compiled so that a read or write beyond the end of an array is an IndexError."""
    return rebuilt(function, njit(boundscheck=True))
