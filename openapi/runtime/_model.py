# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""Shared by all models: UNSET for absent fields, and `Model`, which keeps undescribed fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from uuid import UUID

from attrs import fields

from ._dates import write_datetime


class Unset:
    """The type of UNSET, the value of an absent field. It is false, and empty when iterated."""

    def __bool__(self) -> Literal[False]:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> Literal[0]:
        return 0

    def __repr__(self) -> str:
        return "UNSET"

    def __copy__(self) -> Unset:
        return self

    def __deepcopy__(self, memo: object) -> Unset:
        return self

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()

ABSENT: Any = UNSET
"""UNSET for `from_dict`, where it stands for an absent value of any type."""


def none_if_empty(more: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what models are compared by: asking for the dict of one may have made an empty one."""
    return more or None


class Model:
    """The base of every model: it keeps unknown fields, and reads them as items."""

    if not TYPE_CHECKING:  # the slot of `_more` is in each model, and type checkers miss it here
        __slots__ = ()
    __attrs_attrs__: ClassVar[Any]
    # None if there are no such fields, as in most models: an empty dict for each would take half as
    # long to make as the model itself.
    _more: dict[str, Any] | None

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the description lacks, as the API spells them."""
        if self._more is None:
            self._more = {}
        return self._more

    @additional_properties.setter
    def additional_properties(self, more: dict[str, Any]) -> None:
        self._more = more

    @property
    def additional_keys(self) -> list[str]:
        """The names of the fields that the description lacks, as the API spells them."""
        return list(self._more or ())

    # With `__getitem__` alone, `list(model)` and `dict(model)` would ask for the items 0, 1, ...
    __iter__: ClassVar[None] = None

    def __getitem__(self, key: str) -> Any:
        more = self._more or {}
        if key not in more:
            known = {name: attribute for attribute, name, _ in self._forms()}
            hint = f": it is the attribute `.{known[key]}`" if key in known else ""
            raise KeyError(f"{key}{hint}" if hint else key)
        return more[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return self._more is not None and key in self._more

    @recursive_repr()
    def __repr__(self) -> str:
        parts = {each.alias: getattr(self, each.name) for each in fields(type(self))}
        if not self._more:
            del parts["additional_properties"]
        shown = [f"{name}={value!r}" for name, value in parts.items() if value is not UNSET]
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object. It lacks what is UNSET, and has the additional properties."""
        return {name: to_json(value) for name, value in self._json_fields().items()}

    def _json_fields(self) -> dict[str, Any]:
        """Return the values that are present, by their names in the API, not yet as JSON."""
        raise NotImplementedError

    @classmethod
    def _forms(cls) -> list[tuple[str, str, Any]]:
        """Return the attributes, their names in the API, and what msgspec finds in JSON text."""
        raise NotImplementedError

    @classmethod
    def _take(cls, found: Iterable[Any]) -> None:
        """Replace the forms that msgspec found, in lists and in maps, by models."""
        raise NotImplementedError


# The types that JSON has too; most values are of one of them.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(value: Any) -> Any:
    """Return the JSON form of what a model can hold."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, dt.datetime):
        return write_datetime(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    to_dict = getattr(value, "to_dict", None)
    return value if to_dict is None else to_dict()
