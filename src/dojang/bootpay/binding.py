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
import importlib
from collections.abc import Callable, Coroutine
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

from dojang.bootpay.call import Call

if TYPE_CHECKING:
    from inspect import Signature

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Awaiting", "Blocking", "Endpoint", "Later", "endpoint"]


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
        self._named = function

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # an endpoint's words are its function's
        return self.call.__doc__

    @functools.cached_property
    def call(self) -> Callable[P, Call[T]]:
        """The function itself: the call as a value, not sent."""
        named: object = self._named
        return named.found() if isinstance(named, _Named) else self._named

    @functools.cached_property
    def _method(self) -> _Method:
        # Made once: binding then costs what binding any method costs, and help() shows the real signature. Made when it
        # is first wanted: a function that starts cold asks for one receipt, and there are forty endpoints.
        return _Method(self.call)

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


class _Method:
    """An endpoint's function as a method: what it returns is sent."""

    def __init__(self, function: Callable[..., Call[Any]]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, sender: Blocking | Awaiting, /, *args: object, **kwargs: object) -> object:
        return sender.send(self._function(*args, **kwargs))

    @property
    def __signature__(self) -> Signature:
        # Read by inspect, and only then: to read inspect is more work than to ask Bootpay.
        from inspect import Parameter, signature

        # Without this, inspect would take the function's own first parameter for the client.
        own = signature(self._function)
        sender_first = Parameter("self", Parameter.POSITIONAL_ONLY)
        return own.replace(parameters=[sender_first, *own.parameters.values()])


class Later:
    """A module of endpoints that is imported when one of them is first used.

    Args:
        module: Its name.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> _Named:
        return _Named(self._module, name)


class _Named:
    """A function that is found when it is wanted."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def found(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(importlib.import_module(self._module), self._name)
        return function


def endpoint(function: Callable[P, Call[T]]) -> Endpoint[P, T]:
    """Bind an endpoint's function to whatever client it becomes an attribute of."""
    return Endpoint(function)
