"""The properties of an account, as the account defines them.

This module decides what can be checked of a property before it is sent: whether the account has it,
whether it can be written, and which values it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from .operations import nearest

# Fields of several values, which HubSpot separates by semicolons
# (https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide).
_SEVERAL = ("checkbox",)
_SHOWN = 12


class Definition(NamedTuple):
    """The definition of a property.

    Attributes:
        options: The values that it takes; empty if it takes others too.
        labels: For the label of an option, in lower case, its value.
        several: Whether it takes several values.
        read_only: Whether no program can write it.
    """

    options: frozenset[str] = frozenset()
    labels: Mapping[str, str] = {}
    several: bool = False
    read_only: bool = False


Definitions: TypeAlias = Mapping[str, Definition]
"""The definitions of all properties of a kind of records, by their names."""


def read_definitions(body: Any) -> Definitions:
    """Return the definitions in a response of HubSpot.

    Raises:
        ValueError: It holds none.
    """
    try:
        found = {one["name"]: _definition(one) for one in body["results"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("the response lists no properties") from error
    if not found:
        raise ValueError("the response lists no properties")
    return found


def _definition(given: Mapping[str, Any]) -> Definition:
    metadata: Mapping[str, Any] = given.get("modificationMetadata") or {}
    # An owner, for example, is one of a list that HubSpot does not give here.
    listed: list[Mapping[str, Any]] = given.get("options") or []
    if given.get("externalOptions"):
        listed = []
    return Definition(
        options=frozenset(str(one["value"]) for one in listed),
        labels={str(one.get("label")).casefold(): str(one["value"]) for one in listed},
        several=given.get("fieldType") in _SEVERAL,
        read_only=bool(metadata.get("readOnlyValue") or given.get("calculated")),
    )


def refusal(name: str, definitions: Definitions) -> str:
    """Return why an account does not let a property be written, in a sentence; empty if it does."""
    found = definitions.get(name)
    if found is None:
        close = nearest(name, tuple(definitions))
        hint = f" Did you mean {close}?" if close else ""
        return f"the account has no property {name}.{hint}"
    if found.read_only:
        return f"the account does not let {name} be written: it is read-only."
    return ""


def value_problems(
    values: Mapping[str, Any], definitions: Definitions
) -> Iterator[tuple[str, str]]:
    """Yield the properties that an account does not take so: the name, and what is wrong."""
    for name, value in values.items():
        problem = refusal(name, definitions).rstrip(".")
        if not problem and value not in ("", None):
            problem = _option_problem(str(value), definitions[name])
        if problem:
            yield name, problem


def _option_problem(value: str, found: Definition) -> str:
    if not found.options:
        return ""
    given = [one.strip() for one in value.split(";") if one.strip()] if found.several else [value]
    wrong = next((one for one in given if one not in found.options), None)
    if wrong is None:
        return ""
    if meant := found.labels.get(wrong.casefold()):
        return f"{wrong!r} is the label of an option; its value is {meant!r}"
    shown = ", ".join(sorted(found.options)[:_SHOWN])
    more = ", ..." if len(found.options) > _SHOWN else ""
    return f"{wrong!r} is none of the account's options: {shown}{more}"
