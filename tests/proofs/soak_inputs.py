"""The inputs of a soak run: good, bad and doubled ones, and iterables that misbehave.

It decides what a run is given and what each input is meant to be. It never decides what an outcome
should be, and takes every choice from the random numbers that it is handed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from hubspot_batch_client.models import (
    CallInput,
    CampaignInput,
    CampaignReadInput,
    MarketingEventUpdate,
)

CALLS, CAMPAIGNS, READ, UPDATE = (
    *("create_calls", "create_campaigns"),
    *("read_campaigns", "update_marketing_events"),
)
OPERATIONS = (CALLS, CAMPAIGNS, READ, UPDATE)
NOON, NOON_TOO = "2026-01-31T12:00:00Z", "1769860800000"
NOON_FINE = "2026-01-31T12:00:00.000400Z"
LOOKALIKES = ("A", "A ", "a", "B", " B", "0049", "49", "49.0")
"""Names that are not the same, and that a server could take for each other."""
REWRITTEN = (
    "A&B",
    "A&amp;B",
    "A&amp;amp;B",
    "A&BC",
    "\u201cA\u201d",
    '"A"',
    "A",
    "AB",
    "ABC ",
    "<b>A</b>",
)
"""Names of which a server that rewrites texts can make the same."""
_NUMBERS = tuple(f"number {n}" for n in range(500))
MARK = "hs_audience"
"""The property by which a campaign is told; a sandbox can keep it out of its answers."""


class Halt(BaseException):
    """An interruption of an unknown class."""


class CtrlC(KeyboardInterrupt):
    """A KeyboardInterrupt that no person sent."""


class Leave(SystemExit):
    """A SystemExit by mistake."""


class UnforeseenError(Exception):
    """An exception of an unknown class."""


INTERRUPTIONS: tuple[type[BaseException], ...] = (CtrlC, Halt, Leave)


@frozen
class Given:
    """An input and what it is meant to be.

    `sort`: `good`, `invalid` (it can be told before it is sent), `refused` (by the server), or
    `either` (that depends on what else there is). `key` names a record of a read or an update.
    """

    value: Any = field(repr=False)
    sort: str
    key: str | None = None


class _Hostile(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise UnforeseenError("no")

    def __iter__(self) -> Iterator[str]:
        raise UnforeseenError("no")

    def __len__(self) -> int:
        return 1


_SENSELESS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: 5.5,
    list,
    lambda: {"nothing": "like this"},
    lambda: {"id": 5, "objectId": 5, "properties": 5},
    lambda: {"properties": {"hs_timestamp": float("inf")}},
    object,
    _Hostile,
)


def make_inputs(
    rng: random.Random,
    operation: str,
    size: int,
    ids: list[str],
    bad: float,
    names: Sequence[str] = (),
) -> list[Given]:
    """Return inputs, of which a share of `bad` is not good, for records of these ids and names."""
    make = {CALLS: _call, CAMPAIGNS: _campaign, READ: _read, UPDATE: _update}[operation]
    names = names or rng.choice(
        (("one",), ("one", "two", "three"), LOOKALIKES, REWRITTEN, REWRITTEN, _NUMBERS)
    )
    traces = rng.choice(("none", "none", "own", "doubled", "some"))
    made: list[Given] = []
    for index in range(size):
        if rng.random() < bad and rng.random() < 0.4:
            value = rng.choice(_SENSELESS)()
            made.append(Given(value, "invalid"))
        else:
            made.append(make(rng, index, ids, rng.random() < bad, names, traces))
        if made and rng.random() < 0.05:  # the very same object once more, where it has no mark
            twin = rng.choice(made)
            if operation == READ or twin.sort == "invalid":
                made[-1] = twin
    return made


def _association(mark: str, kind: int = 194) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": mark}, "types": types}


def _call(
    rng: random.Random, index: int, _: list[str], bad: bool, names: Sequence[str], traces: str
) -> Given:
    when = rng.choice((NOON, NOON, NOON_TOO, NOON_FINE))
    properties: dict[str, Any] = {"hs_timestamp": when, "hs_call_title": rng.choice(names)}
    # What tells the records apart, and no answer repeats.
    value: dict[str, Any] = {"properties": properties, "associations": [_association(str(index))]}
    sort = "good"
    if bad:
        sort = "refused"
        match rng.randrange(5):
            case 0:
                del properties["hs_timestamp"]
            case 1:
                properties["hs_call_duration"] = "long"
            case 2:
                properties["hs_no_such_property"] = "1"
            case 3:
                value["associations"].append(_association(str(index), 999))
            case _:
                properties["hs_unique_creation_key"] = f"key {rng.randrange(3)}"
                sort = "either"
    if traces != "none" and (traces != "some" or rng.random() < 0.5):
        value["objectWriteTraceId"] = f"trace-{rng.randrange(3) if traces == 'doubled' else index}"
    return Given(_as_model(rng, CallInput, value), sort)


def _campaign(
    rng: random.Random, index: int, _: list[str], bad: bool, names: Sequence[str], __: str
) -> Given:
    properties = {"hs_name": rng.choice(names), MARK: str(index)}
    if bad:
        match rng.randrange(3):
            case 0:
                del properties["hs_name"]
            case 1:
                properties["hs_start_date"] = "soon"
            case _:
                properties["no_such_property"] = "1"
    value = {"properties": properties}
    return Given(_as_model(rng, CampaignInput, value), "refused" if bad else "good")


def _read(
    rng: random.Random, index: int, ids: list[str], bad: bool, names: Sequence[str], __: str
) -> Given:
    if bad and rng.random() < 0.1:
        # The server takes no field that it does not know; the client hands on those of a model.
        value = CampaignReadInput.from_dict({"id": f"news-{index}", "news": 1})
        return Given(value, "refused", value.id)
    key = f"00000000-0000-4000-8000-{rng.choice((1, 2, index)):012}" if bad else rng.choice(ids)
    form = rng.randrange(4)
    named = CampaignReadInput.from_dict({"id": key}) if form == 0 else {"id": key}
    return Given(named if form < 2 else key, "refused" if bad else "good", key)


def _update(
    rng: random.Random, index: int, ids: list[str], bad: bool, names: Sequence[str], __: str
) -> Given:
    key = str(10**9 + rng.choice((1, 2, index))) if bad else rng.choice(ids)
    value: dict[str, Any] = {"objectId": key, "eventName": str(index)}
    if rng.random() < 0.3:
        value["customProperties"] = [{"name": "seats", "value": str(rng.randrange(9))}]
    if bad and rng.random() < 0.1:
        news = MarketingEventUpdate.from_dict({"customProperties": [], **value, "news": 1})
        return Given(news, "refused", key)
    return Given(_as_model(rng, MarketingEventUpdate, value), "refused" if bad else "good", key)


def _as_model(rng: random.Random, model: Any, value: dict[str, Any]) -> Any:
    if rng.random() < 0.8:
        return value
    lists = {"associations": []} if model is CallInput else {}
    if model is MarketingEventUpdate:
        lists = {"customProperties": []}
    return model.from_dict({**lists, **value})


FORMS = ("list", "tuple", "plain", "generator", "iterator", "again", "liar", "deaf", "reused")


@define
class Source:
    """Inputs as an iterable that knows how far it was read, and by whom.

    Attributes:
        values: The inputs.
        form: What kind of iterable; see `FORMS`.
        raise_at: The position in whose place `error` is raised; None for none.
        between: Called before each input is handed out.
    """

    values: list[Any] = field(repr=False)
    form: str
    raise_at: int | None = None
    error: BaseException | None = None
    between: Callable[[int], object] = lambda _: None
    read: int = 0
    raised: bool = False
    strangers: set[int] = field(factory=set)
    _owner: int = field(factory=threading.get_ident)
    _shared: dict[str, Any] = field(factory=dict, repr=False)

    @property
    def sized(self) -> bool:
        """Whether it has a length that is true."""
        return self.form in ("list", "tuple", "plain")

    @property
    def counted(self) -> bool:
        """Whether it knows how far it was read."""
        return self.form != "plain"

    def open(self) -> Iterable[Any]:
        """Return the iterable."""
        if self.form in ("list", "tuple"):
            base: Any = list if self.form == "list" else tuple
            return type("Watched", (base,), {"__iter__": lambda _: _Walk(self)})(self.values)
        if self.form == "plain":
            return list(self.values)
        if self.form in ("liar", "deaf"):
            return _Sized(self, len(self.values) // 2 + 3 if self.form == "liar" else None)
        if self.form == "generator":
            return (value for value in _Walk(self))
        return _Walk(self)

    def hand_out(self, position: int) -> Any:
        """Return an input, or raise."""
        if threading.get_ident() != self._owner:
            self.strangers.add(threading.get_ident())
        self.between(position)
        if position == self.raise_at and self.error is not None and not self.raised:
            self.raised = True
            raise self.error
        if position >= len(self.values):
            raise StopIteration
        value = self.values[position]
        self.read = max(self.read, position + 1)
        if self.form != "reused" or not isinstance(value, dict):
            return value
        self._shared.clear()
        self._shared.update(value)
        return self._shared


@define
class _Walk:
    """An iterator over a source; in one form it goes on after its failure and its end."""

    source: Source
    position: int = 0
    over: bool = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        again = self.source.form == "again"
        if self.over:
            if not again:
                raise StopIteration
            self.over = False
            return {"nothing": "was asked for"}
        try:
            value = self.source.hand_out(self.position)
        except StopIteration:
            self.over = True
            raise
        except BaseException:
            self.over = not again
            raise
        self.position += 1
        return value


@frozen
class _Sized:
    source: Source
    length: int | None

    def __iter__(self) -> Iterator[Any]:
        return _Walk(self.source)

    def __len__(self) -> int:
        if self.length is None:
            raise TypeError("not known")
        return self.length
