"""Small helpers to make strawberry classes at run time."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Annotated, Any, Optional

import strawberry
from strawberry import UNSET

from kg.model import snake_case
from server.graphql.compiled import FOLLOWS


def member(
    returns: Any,
    description: str,
    resolver: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    maker: Callable[..., Any] = strawberry.field,
    **arguments: Any,
) -> tuple[Any, Any]:
    """Return (annotation, strawberry field) of a field; ``arguments`` maps each argument to (type, description[, name]).

    Without a name an argument is called as the resolver's parameter, less an underscore at its end. Without a
    resolver the field is the attribute of the same name. The resolver must be this field's own function.
    ``maker`` is strawberry.mutation or .subscription for fields of those types.
    """
    if resolver is None:
        return returns, strawberry.field(description=description, name=name)
    resolver.__annotations__ = {
        argument: Annotated[type_, strawberry.argument(description=said, name=_called(argument, *called))]
        for argument, (type_, said, *called) in arguments.items()
    } | {"return": returns}
    return returns, maker(resolver=resolver, description=description, name=name)


def _called(argument: str, name: str | None = None) -> str | None:
    return name or (argument[:-1] if argument.endswith("_") else None)


def fill(class_: type, members: Mapping[str, tuple[Any, Any]]) -> type:
    """Put members on a bare class, in order."""
    class_.__annotations__ = {name: annotation for name, (annotation, _) in members.items()}
    for name, (_, field) in members.items():
        setattr(class_, name, field)
    return class_


def made_type(name: str, said: str, members: Mapping[str, tuple[Any, Any]]) -> Any:
    """Return an object type with these members, made at run time."""
    return strawberry.type(fill(type(name, (), {}), members), name=name, description=said)


def make_enum(name: str, values: Iterable[tuple[str, str]], description: str) -> Any:
    """Return a GraphQL enum of (name, description) values; in Python each value is its own name."""
    values = list(values)
    members = {value: strawberry.enum_value(value, description=said) for value, said in values}
    class_: Any = enum.EnumMeta.__call__(enum.Enum, name, members)
    return strawberry.enum(class_, name=name, description=description)


def nullable(type_: Any) -> Any:
    """Return a type that may be null; works on enums and on classes that are not decorated yet."""
    return Optional[type_]  # noqa: UP045 - `|` fails on strawberry's enum definitions


def listed(type_: Any) -> Any:
    """Return a list of a type that is only known at run time."""
    return list[type_]


def plain(value: Any) -> Any:
    """Return an enum member's value, and anything else as it is."""
    return value.value if isinstance(value, enum.Enum) else value


def given(input_: Any, name: str) -> Any:
    """Return a field of an input object, or None where it was not given."""
    value = getattr(input_, name, None) if input_ else None
    return None if value is UNSET else value


def following(*attributes: str) -> Callable[[Any], Any]:
    """Return a resolver that reads an attribute of an attribute; compiled plans read them where it would be called."""
    read = attrgetter(".".join(attributes))

    def resolver(self: Any) -> Any:
        return read(self)

    setattr(resolver, FOLLOWS, attributes)
    return resolver


def itself(item: Any) -> Any:
    """Return the item."""
    return item


def pascal(name: str) -> str:
    """Return ``startDate`` as ``StartDate``."""
    return name[:1].upper() + name[1:]


def constant(name: str) -> str:
    """Return ``startDate`` as ``START_DATE``."""
    return snake_case(name).upper()
