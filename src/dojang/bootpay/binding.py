"""One line binds an endpoint to both clients.

```python
class Endpoints:
    confirm = endpoint(payments.confirm)  # Bootpay: Receipt, AsyncBootpay: a coroutine of Receipt
```

An endpoint is a function that returns a `Call[T]`. Bound to something `Blocking` it takes the same parameters and
returns `T`; bound to something `Awaiting` it returns a coroutine of `T`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from dojang.bootpay.call import Call

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Awaiting", "Blocking", "Endpoint", "endpoint"]


class Blocking:
    """Something that sends a call and waits for its result."""

    def send(self, call: Call[T]) -> T:
        """Send one call and return its typed result."""
        raise NotImplementedError


class Awaiting:
    """Something that sends a call and hands back a coroutine of its result."""

    def send(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        """Send one call; awaiting it gives its typed result."""
        raise NotImplementedError


class Endpoint(Generic[P, T]):
    """An endpoint as an attribute of a client."""

    def __init__(self, function: Callable[P, Call[T]]) -> None:
        self.call = function

        # Made once: binding then costs what binding any method costs, and help() shows the real signature.
        @functools.wraps(function)
        def method(sender: Blocking | Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> object:
            return sender.send(function(*args, **kwargs))

        # Without this, inspect would take the function's own first parameter for the client.
        own = inspect.signature(function)
        sender_first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        signature = own.replace(parameters=[sender_first, *own.parameters.values()])
        method.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect

        self.__doc__ = function.__doc__
        self._method = method

    @overload
    def __get__(self, instance: None, owner: type) -> Endpoint[P, T]: ...
    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: object, owner: type) -> object:
        if instance is None:
            return self
        return MethodType(self._method, cast("Blocking | Awaiting", instance))


def endpoint(function: Callable[P, Call[T]]) -> Endpoint[P, T]:
    """Bind an endpoint's function to whatever client it becomes an attribute of."""
    return Endpoint(function)
