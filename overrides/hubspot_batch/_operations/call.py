"""A call of an operation: the checked arguments of a method, as they are sent.

This module decides which arguments are valid. The methods themselves are generated.
"""

from __future__ import annotations

import datetime as dt
import json
import reprlib
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from attrs import Factory, evolve, frozen
from hubspot_batch_client.contract import Argument, Listing
from hubspot_batch_client.contract import Operation as Described
from hubspot_batch_client.types import to_bytes, to_query

from hubspot_batch._engine.chunk import Operation
from hubspot_batch._engine.doubts import LookUpPlan
from hubspot_batch._json import is_map
from hubspot_batch._matching.keys import ID_PROPERTY
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.journal import Journal
from hubspot_batch.options import Clock

from .dates import read_date, read_datetime
from .mark_names import check_names
from .plausibility import advice, foreign_names
from .registry import SPECS, OperationSpec, Parameters, spec_by_property, spec_in
from .versions import check_version, located

if TYPE_CHECKING:
    from hubspot_batch._engine.recorder import Recorder

_T = TypeVar("_T")


@frozen
class OperationCall:
    """An operation with everything but its inputs. It can be pickled.

    Attributes:
        operation_id: The operation's id.
        chunk_size: Inputs in a request; None for the operation's limit.
        isolate: Whether a refused request is split even if it may have created something.
        allow_implausible: Whether values are sent that are most likely not meant.
        arguments: The other arguments that were given, by their names in Python, checked.
        journal: The journal of the job; None if it has none.
        key_property: The property whose values are unique, by which records are found again.
        stamp_property: A property (need not be unique) that the run fills in.
        look_up_plan: What the run does about inputs in doubt; None for nothing.
        api_version: The version of the API; None for the default.
    """

    operation_id: str
    chunk_size: int | None = None
    isolate: bool = False
    allow_implausible: bool = False
    arguments: Mapping[str, Any] = Factory(dict[str, Any])
    journal: Journal | None = None
    key_property: str | None = None
    stamp_property: str | None = None
    look_up_plan: LookUpPlan | None = None
    api_version: str | None = None

    def recorder(
        self, operation: Operation[Any], base_url: httpx.URL, clock: Clock
    ) -> Recorder[Any] | None:
        """Return what a run of the operation records; None if it has no journal."""
        if self.journal is None:
            return None
        from hubspot_batch._engine.recorder import Recorder  # noqa: PLC0415 - few runs need it

        looks = self.look_up_plan is not None
        return Recorder(self.journal, operation, self.head(str(base_url)), clock, looks=looks)

    def head(self, base_url: str) -> dict[str, str]:
        """Return what the head of a journal says of a run."""
        return {
            "operation": self.operation_id,
            "arguments": json.dumps(dict(self.arguments), default=str, sort_keys=True),
            "base_url": base_url.rstrip("/"),
        }

    @property
    def operation(self) -> Operation[Any]:
        """The operation for one run, as the engine sees it."""
        spec = SPECS[self.operation_id]
        if not self.arguments:
            return self._of(spec, Parameters())
        query: dict[str, Any] = {}
        body: dict[str, Any] = {}
        for argument in spec.described.arguments:
            if argument.keyword in self.arguments:
                place, name = (
                    (query, argument.keyword) if argument.place != "body" else (body, argument.name)
                )
                place[name] = self.arguments[argument.keyword]
        id_property: str | None = body.get(ID_PROPERTY)
        if id_property:
            spec = spec_by_property(spec.id, id_property)
            names = body.get("properties")
            # Without that property, a result could not be matched to its input.
            if isinstance(names, list) and id_property not in names:
                body["properties"] = [*names, id_property]
        return self._of(spec, Parameters(query, _tail(body)))

    def _of(self, spec: OperationSpec, parameters: Parameters) -> Operation[Any]:
        operation = spec_in(self.api_version, spec).operation(
            parameters, isolate=self.isolate, allow_implausible=self.allow_implausible
        )
        names = {self.key_property: True, self.stamp_property: False}
        if marked := {name: unique for name, unique in names.items() if name}:
            from .marks import Marker  # noqa: PLC0415 - few runs need it

            return Marker(marked).marking(operation)  # each run has a marker of its own
        return operation


def operation_call(
    operation: str,
    chunk_size: int | None,
    /,
    *,
    isolate: bool = False,
    journal: Journal | str | PathLike[str] | None = None,
    allow_implausible: bool = False,
    key_property: str | None = None,
    stamp_property: str | None = None,
    reconcile: bool | Iterable[float] = False,
    assume_absent_after: float | None = None,
    resend: bool = False,
    api_version: str | None = None,
    **given: Any,
) -> OperationCall:
    """Return a call of an operation.

    Args:
        operation: The operation's id.
        chunk_size: Inputs in a request; None for the operation's limit.
        isolate: Whether a refused request is split even if it may have created something.
        journal: The journal of the job, or its path.
        allow_implausible: Whether values are sent that are most likely not meant.
        key_property: The property whose values are unique, by which records are found again.
        stamp_property: A property (need not be unique) that the run fills in.
        reconcile: Whether inputs in doubt are looked up at the run's end, or when, in seconds.
        assume_absent_after: Seconds after which an input that is not found counts as not sent.
        resend: Whether an input that was certainly not done is sent again.
        api_version: The version of the API; None for the default.
        given: The other arguments, by their names in Python; None where one is left out.

    Raises:
        ConfigurationError: An argument is not valid.
    """
    described = SPECS[operation].described
    if api_version is not None:
        located(described, check_version(api_version))
    arguments = checked_arguments(described, given) if given else {}
    call = OperationCall(
        operation_id=operation,
        chunk_size=chunk_size,
        isolate=isolate,
        allow_implausible=allow_implausible,
        arguments=arguments,
        journal=Journal.of(journal),
        api_version=api_version,
    )
    named = (key_property, stamp_property, assume_absent_after) != (None, None, None)
    if not named and reconcile is False and not resend:
        return call  # usually
    check_names(key_property, stamp_property)
    look_up_plan = LookUpPlan.of(
        reconcile, assume_absent_after, resend=resend, by_key=bool(key_property)
    )
    return evolve(
        call, key_property=key_property, stamp_property=stamp_property, look_up_plan=look_up_plan
    )


def checked_arguments(described: Described | Listing, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a method as they are sent.

    Args:
        described: The operation.
        given: Its arguments by their names in Python; None where one is left out.

    Raises:
        ConfigurationError: An argument is not valid.
    """
    arguments = {
        argument.keyword: _value(argument, value)
        for argument in described.arguments
        if (value := given.get(argument.keyword)) is not None or argument.required
    }
    if arguments:
        _check_period(arguments)
        _check_length(described, arguments)
    return arguments


def _check_period(arguments: Mapping[str, Any]) -> None:
    """Refuse a period without a beginning or an end, or that ends before it begins.

    HubSpot returns no metrics then, and does not say why (openapi/pages/read_campaigns.yaml).
    """
    start, end = arguments.get("start_date"), arguments.get("end_date")
    if (start is None) is not (end is None):
        given, missing = ("start_date", "end_date") if end is None else ("end_date", "start_date")
        raise ConfigurationError(
            f"{given} must be given together with {missing}; HubSpot returns no metrics otherwise."
        )
    if start is not None and end is not None and start > end:
        raise ConfigurationError(f"start_date must not be after end_date; got {start} and {end}.")


# HubSpot's edge answers 414 to a longer address (seen, not published).
_ADDRESS_AT_MOST = 16_000


def _check_length(described: Described | Listing, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that make the address of the requests too long."""
    lengths = {
        argument.keyword: len(str(httpx.QueryParams(to_query({argument.name: value}))))
        for argument in described.arguments
        if argument.place == "query" and (value := arguments.get(argument.keyword)) is not None
    }
    length = len(described.path) + sum(lengths.values()) + len(lengths)
    if length > _ADDRESS_AT_MOST:
        name = max(lengths, key=lengths.__getitem__)
        raise ConfigurationError(
            f"{name} must be shorter: with {len(arguments[name])} of them, the address of a "
            f"request has {length} characters, and HubSpot accepts {_ADDRESS_AT_MOST}. Ask for "
            "fewer at a time."
        )


def _tail(body: Mapping[str, Any]) -> bytes:
    if not body:
        return b"}"
    try:
        return b"," + to_bytes(body)[1:]
    except (TypeError, ValueError, RecursionError) as error:
        names = ", ".join(body)
        raise ConfigurationError(f"{names} cannot be written as JSON: {error}.") from None


def _value(argument: Argument, value: Any) -> Any:
    """Return what is sent for an argument."""
    if argument.place == "path":
        return _part_of_path(argument, value)
    found = _of_form(argument, value)
    if argument.known and (foreign := foreign_names(found, argument.known)):
        raise ConfigurationError(
            f"{argument.keyword} must not name {foreign[0]}, which HubSpot does not return; "
            f"{advice(foreign[0], argument.known)}."
        )
    return _option(argument, found)


def _part_of_path(argument: Argument, value: Any) -> Any:
    """Return what stands for an argument in the path of the requests."""
    found, name = _of_form(argument, value), argument.keyword
    if isinstance(found, str):
        # Clients and servers drop a part of an address that is a dot or two.
        if found.strip() in ("", ".", ".."):
            raise _wrong(name, "a text that can be a part of the address", value)
        try:
            found.encode()
        except UnicodeEncodeError:
            raise _wrong(name, "a text that can be written in UTF-8", value) from None
    return _option(argument, found)


def _option(argument: Argument, value: Any) -> Any:
    """Return a value that is one of those that the argument can have."""
    options = argument.schema.get("enum") if is_map(argument.schema) else None
    if options and value not in options:
        raise _wrong(argument.keyword, f"one of {', '.join(map(str, options))}", value)
    return value


def _of_form(argument: Argument, value: Any) -> Any:
    name, form = argument.keyword, argument.form
    if form == "json":
        return value
    if form in _SEVERAL:
        kind, words = _SEVERAL[form]
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise _wrong(name, f"a list of {words}", value)
        listed: list[Any] = [*value]
        if not all(_is_a(kind, one) for one in listed):
            raise _wrong(name, f"a list of {words}", listed)
        return listed
    if form in _ONE:
        kind, words = _ONE[form]
        if not _is_a(kind, value):
            raise _wrong(name, words, value)
        return value
    return _day(name, value) if form == "date" else _time(name, value)


def _wrong(name: str, wanted: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{name} must be {wanted}; got {reprlib.repr(value)}.")


_ONE: Mapping[str, tuple[Any, str]] = {
    "text": (str, "text"),
    "integer": (int, "a whole number"),
    "number": (int | float, "a number"),
    "boolean": (bool, "True or False"),
}
_SEVERAL: Mapping[str, tuple[Any, str]] = {
    "texts": (str, 'names, such as ["hs_name"]'),
    "integers": (int, "whole numbers"),
    "numbers": (int | float, "numbers"),
}


def _is_a(kind: Any, value: object) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _day(name: str, value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    return _parsed(name, value, read_date, "a date, such as 2026-01-31")


def _time(name: str, value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return _parsed(name, value, read_datetime, "a time, such as 2026-01-31T09:30:00Z")


def _parsed(name: str, value: object, read: Callable[[str], _T], wanted: str) -> _T:
    if not isinstance(value, str):
        raise _wrong(name, wanted, value)
    try:
        return read(value)
    except ValueError as error:
        raise ConfigurationError(f"{name} must be {wanted}; {error}.") from None
