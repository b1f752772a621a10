"""What values are made of: they do what frozen, slotted dataclasses do, and a class is made in a fraction of the time.

A function that starts cold waits for every class. `dataclasses` compiles six functions for each, makes a slotted class
twice, and reads `inspect` first; here the constructor alone is compiled, and the rest goes by the fields' names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    # What is below in other words: type checkers then know which fields there are to replace.
    from dataclasses import Field, replace

__all__ = ["Value", "field", "fields_of", "replace"]

V = TypeVar("V", bound="Value")

_REQUIRED: Any = object()


class _Field:
    """What is to be known of a field beyond its name."""

    __slots__ = ("default", "make", "shown")

    def __init__(
        self, default: object, make: Callable[[], object] | None = None, *, shown: bool = True
    ) -> None:
        self.default = default
        self.make = make
        self.shown = shown


def field(
    *,
    default: Any = _REQUIRED,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002 - as dataclasses has it
) -> Any:
    """A field that is more than a name and a default: made anew for each value, or never shown."""
    return _Field(default, default_factory, shown=repr)


class _ValueType(type):
    """Makes a class of values from its annotations."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, kw_only: bool = True
    ) -> _ValueType:
        if not bases:
            return super().__new__(mcs, name, bases, namespace)
        names = tuple(namespace.get("__annotations__", ()))
        # A default must not stay where the slot is going to be.
        fields = {each: _as_field(namespace.pop(each, _REQUIRED)) for each in names}
        namespace |= {"__slots__": names, "__match_args__": () if kw_only else names}
        # With its class, so that values of two classes have different hashes, and one without fields has one.
        namespace |= {"_fields": fields, "_parts": attrgetter("__class__", *names)}
        made = super().__new__(mcs, name, bases, namespace)
        made.__init__ = _constructor(made, fields, kw_only=kw_only)  # type: ignore[misc]  # here, once
        return made


def _as_field(default: Any) -> _Field:
    return default if isinstance(default, _Field) else _Field(default)


def _constructor(made: type, fields: Mapping[str, _Field], *, kw_only: bool) -> Any:
    """Write and compile `__init__`: the one function of a value that has to be quick."""
    known: dict[str, object] = {"__name__": made.__module__, "_unset": _REQUIRED}
    parameters = ["self", "*"] if kw_only and fields else ["self"]
    body = []
    for name, each in fields.items():
        # The slot's own way in, which is open to nobody else.
        known[f"_set_{name}"] = getattr(made, name).__set__
        value, default = name, ""
        if each.make is not None:
            known[f"_make_{name}"] = each.make
            value, default = f"_make_{name}() if {name} is _unset else {name}", "=_unset"
        elif each.default is not _REQUIRED:
            known[f"_default_{name}"] = each.default
            default = f"=_default_{name}"
        parameters.append(name + default)
        body.append(f"_set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n {'; '.join(body) or 'pass'}", known)  # noqa: S102 - our own words
    return known["__init__"]


class _Described:
    """By this `dataclasses` knows its own: its `fields`, `replace` and `asdict` do with values what they always do."""

    def __get__(self, _value: object, kind: type[Value]) -> dict[str, Field[Any]]:
        return _described(kind)


@cache
def _described(kind: type[Value]) -> dict[str, Field[Any]]:
    import dataclasses

    named: list[tuple[str, str, Any]] = []
    for name, each in kind._fields.items():
        known: dict[str, Any] = {"repr": each.shown, "kw_only": not kind.__match_args__}
        if each.make is not None:
            known["default_factory"] = each.make
        elif each.default is not _REQUIRED:
            known["default"] = each.default
        named.append((name, kind.__annotations__[name], dataclasses.field(**known)))
    twin: Any = dataclasses.make_dataclass(kind.__name__, named)
    fields: dict[str, Field[Any]] = twin.__dataclass_fields__
    return fields


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Value(metaclass=_ValueType):
    """A class below this one is a class of values: its annotations are its fields.

    They are given by name, unless the class says `kw_only=False`. A `__post_init__` may refuse them.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Not for who reads annotations when the program runs: they are no fields.
        __match_args__: ClassVar[tuple[str, ...]]
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
        _fields: ClassVar[Mapping[str, _Field]]
        _parts: ClassVar[attrgetter[object]]
    else:
        __dataclass_fields__ = _Described()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(self._parts(self) == self._parts(other))

    def __hash__(self) -> int:
        return hash(self._parts(self))

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name, each in self._fields.items() if each.shown]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__qualname__} is a value: its {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__qualname__} is a value: its {name} cannot be deleted")

    def __reduce__(self) -> tuple[object, ...]:
        # Copies and pickles are made by the constructor too: what it refuses is refused.
        return _again, (type(self), fields_of(self))


def fields_of(value: Value) -> dict[str, Any]:
    """The fields by their names; values among them stay as they are."""
    return {name: getattr(value, name) for name in value._fields}


def _again(kind: type[V], given: Mapping[str, Any]) -> V:
    return kind(**given)


if not TYPE_CHECKING:

    def replace(value: V, /, **changes: Any) -> V:
        """The same value but for these fields."""
        return type(value)(**fields_of(value) | changes)
