"""An account of the four operations, written from what is known of HubSpot and from nothing else.

It decides what a request does to the records and what an honest server says of it, in the many ways
in which servers are known to say it. It shares no code with the package or its sandbox: the two
have been made from the same facts twice, so what one has misread the other need not have. How a
response travels is decided in `wire_faults`.
"""

from __future__ import annotations

import html
import random
import re
import threading
from collections.abc import Sequence
from typing import Any

from attrs import Factory, define, field, frozen
from wire_oddities import make_odd

PATHS = {
    "/crm/v3/objects/calls/batch/create": "create_calls",
    "/marketing/v3/campaigns/batch/create": "create_campaigns",
    "/marketing/v3/campaigns/batch/read": "read_campaigns",
    "/marketing/v3/marketing-events/batch/update": "update_marketing_events",
}
CREATES = ("create_calls", "create_campaigns")
MARK = "wire_mark"
"""The property by which the test knows a campaign; most servers here keep it to themselves."""

_WHEN = "2026-01-31T12:00:00.123Z"


def mark_of(operation: str, sent: dict[str, Any]) -> str:
    """Return the mark by which the test knows an input."""
    if operation == "create_calls":
        return str(sent["associations"][0]["to"]["id"])
    if operation == "create_campaigns":
        return str(sent["properties"][MARK])
    if operation == "update_marketing_events":
        return f"{sent['objectId']}={sent['eventName']}"
    return str(sent["id"])


@frozen
class Habits:
    """How a server answers where HubSpot leaves it open.

    Attributes:
        order: That of the results: `same`, `reversed` or `shuffled`.
        echo: What a result repeats: `all`, `no marks`, or `rewritten` texts.
        rewrite: The name of the rewriting.
        traces: Whether results repeat trace ids.
        naming: How an error names its inputs: `context`, `message` or `nothing`.
        grouped: Whether one error is about all inputs that were refused.
        campaigns: What a bad campaign leads to: `partial`, or `refused` with some of them created.
        missing: What a read of an unknown record leads to: `error` or `silence`.
        numbers: Whether ids are numbers.
        forgets: How likely it is that a record which was created is not mentioned.
        repetitions: What a repeated update leads to: `again`, `error`, `400` or `409`.
        odd: How many oddities its 207s have.
    """

    order: str = "same"
    echo: str = "all"
    rewrite: str = "html"
    traces: bool = True
    naming: str = "context"
    grouped: bool = False
    campaigns: str = "partial"
    missing: str = "error"
    numbers: bool = False
    forgets: float = 0.0
    repetitions: str = "again"
    odd: int = 0


@define
class Record:
    """A call or a campaign."""

    id: str
    properties: dict[str, Any]
    mark: str
    trace: str | None = None


@define
class Answer:
    """The response of an honest server to a request.

    Attributes:
        done: The marks of the inputs that were carried out.
        reasons: What each input was told, by its mark: `done`, `refused`, `refused together`,
            `refused again`, or `silent` where nothing that it is told by is said of it.
    """

    status: int
    body: Any
    done: frozenset[str] = frozenset()
    reasons: dict[str, set[str]] = Factory(dict)


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


REWRITES: dict[str, Any] = {
    "html": html.escape,
    "stripped": lambda text: re.sub(r"<[^>]*>", "", text),
    "blanks": _spaced,
    "lower": str.lower,
    "cut": lambda text: text[:12],
    "milliseconds": lambda text: re.sub(r"(\.\d{3})\d+Z$", r"\1Z", text),
    "quotes": lambda text: text.replace("\u201c", '"').replace("\u201d", '"'),
}


@define
class Store:
    """The records of an account, and how its server answers."""

    rng: random.Random
    habits: Habits
    created: list[Record] = field(factory=list)
    campaigns: dict[str, str] = field(factory=dict)
    events: dict[str, str] = field(factory=dict)
    changes: list[str] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def done(self, operation: str) -> list[str]:
        """Return the marks of all that was carried out, as often as it was."""
        if operation in CREATES:
            return [record.mark for record in self.created]
        return [*dict.fromkeys(self.changes)] if "update" in operation else [*self.campaigns]

    def owner(self, record_id: str) -> str | None:
        """Return the mark of the input that a created record was made for."""
        return next((one.mark for one in self.created if one.id == record_id), None)

    def carry_out(self, operation: str, inputs: list[dict[str, Any]]) -> Answer:
        """Do what a request asks for, and return what is to be said of it."""
        work = {
            "create_calls": self._create_calls,
            "create_campaigns": self._create_campaigns,
            "read_campaigns": self._read,
            "update_marketing_events": self._update,
        }[operation]
        with self._lock:
            return work(inputs)

    # ------------------------------------------------------------ the operations

    def _create_calls(self, inputs: list[dict[str, Any]]) -> Answer:
        marks = [mark_of("create_calls", one) for one in inputs]
        traces = [one.get("objectWriteTraceId") for one in inputs]
        bad = [_is_bad(one["properties"].get("hs_call_title")) for one in inputs]
        if len({*traces}) == len(inputs) and None not in traces:
            return self._partial("create_calls", inputs, marks, bad)
        if any(bad):  # all or nothing
            error = _error(
                "INVALID", f"Property values were not valid ({sum(bad)})", status="error"
            )
            return _refusal(400, error, marks, "refused")
        return self._partial("create_calls", inputs, marks, bad)

    def _create_campaigns(self, inputs: list[dict[str, Any]]) -> Answer:
        marks = [mark_of("create_campaigns", one) for one in inputs]
        names = [one["properties"].get("hs_name") for one in inputs]
        bad = [not name or _is_bad(name) for name in names]
        if any(bad) and self.habits.campaigns == "refused":
            before = self.rng.randrange(bad.index(True) + 1)
            for one, mark in zip(inputs[:before], marks, strict=False):
                self._create(one, mark)
            error = _error("VALIDATION_ERROR", "hs_name is not valid", status="error")
            answer = _refusal(400, error, marks, "refused")
            answer.done = frozenset(marks[:before])
            if len(inputs) > 1:
                answer.reasons = {mark: {"refused together"} for mark in marks}
            return answer
        return self._partial("create_campaigns", inputs, marks, bad)

    def _partial(
        self, operation: str, inputs: list[dict[str, Any]], marks: list[str], bad: list[bool]
    ) -> Answer:
        """Create the good ones, and say so of each that is not forgotten."""
        reasons: dict[str, set[str]] = {}
        results, refused = [], []
        keyed = operation == "create_calls" and self.habits.traces
        for one, mark, wrong in zip(inputs, marks, bad, strict=True):
            if wrong:
                refused.append(one)
                named = operation == "create_calls" and self.habits.naming == "context"
                reasons[mark] = {"refused"} if named else {"silent"}
                continue
            record = self._create(one, mark)
            if self.rng.random() < self.habits.forgets:
                reasons[mark] = {"silent"}
                continue
            results.append(self._result(operation, record))
            plain = self.habits.echo != "rewritten" and _is_alone(one, inputs)
            told = plain or (keyed and record.trace is not None)
            reasons[mark] = {"done"} if told else {"silent"}
        done = frozenset(mark for mark, wrong in zip(marks, bad, strict=True) if not wrong)
        errors = self._errors(operation, refused)
        return self._said(201, results, errors, done, reasons)

    def _create(self, sent: dict[str, Any], mark: str) -> Record:
        record = Record(
            str(9_000_000 + len(self.created)),
            dict(sent["properties"]),
            mark,
            sent.get("objectWriteTraceId"),
        )
        self.created.append(record)
        return record

    def _result(self, operation: str, record: Record) -> dict[str, Any]:
        habits = self.habits
        rewrite = REWRITES[habits.rewrite] if habits.echo == "rewritten" else lambda text: text
        shown = {name: rewrite(value) for name, value in record.properties.items()}
        if habits.echo != "all":
            shown.pop(MARK, None)
        shown["hs_object_id"] = record.id
        result: dict[str, Any] = {"properties": shown, "createdAt": _WHEN, "updatedAt": _WHEN}
        # The ids of campaigns are GUIDs, which are no numbers.
        numbers = habits.numbers and operation == "create_calls"
        result["id"] = int(record.id) if numbers else record.id
        if operation == "create_calls":
            result["archived"] = False
            if habits.traces and record.trace is not None:
                result["objectWriteTraceId"] = record.trace
        else:
            result["businessUnits"] = [{"id": 0}]
        return result

    def _read(self, inputs: list[dict[str, Any]]) -> Answer:
        wanted = [*dict.fromkeys(str(one["id"]) for one in inputs)]
        there = [one for one in wanted if one in self.campaigns]
        reasons: dict[str, set[str]] = {one: {"silent"} for one in wanted}
        results = []
        for one in there:
            if self.rng.random() < self.habits.forgets:
                continue
            reasons[one] = {"done"}
            shown = {"hs_name": self.campaigns[one]}
            result = {"id": one, "properties": shown, "businessUnits": [], "createdAt": _WHEN}
            results.append({**result, "updatedAt": _WHEN, "assets": {}})
        missing = [{"id": one} for one in wanted if one not in self.campaigns]
        errors = []
        if self.habits.missing == "error":
            errors = self._errors("read_campaigns", missing)
            for one in missing:
                reasons[one["id"]] = {"refused"}
                if self.habits.naming == "nothing":
                    reasons[one["id"]].add("silent")
        return self._said(200, results, errors, frozenset(there), reasons)

    def _update(self, inputs: list[dict[str, Any]]) -> Answer:
        marks = [mark_of("update_marketing_events", one) for one in inputs]
        repeated = [mark for mark in marks if mark in self.changes]
        habit = self.habits.repetitions
        if repeated and habit in ("400", "409"):
            error = _error("CONFLICT", "It has been changed meanwhile", status="error")
            return _refusal(int(habit), error, marks, "refused again")
        reasons: dict[str, set[str]] = {}
        results, refused, done = [], [], []
        for one, mark in zip(inputs, marks, strict=True):
            unknown = str(one["objectId"]) not in self.events
            if unknown or (mark in repeated and habit == "error"):
                refused.append(one)
                named = self.habits.naming == "context"
                reasons[mark] = {"refused again" if not unknown else "refused"}
                if not named:
                    reasons[mark] |= {"silent"}
                continue
            self.events[str(one["objectId"])] = one["eventName"]
            self.changes.append(mark)
            done.append(mark)
            if self.rng.random() < self.habits.forgets:
                reasons[mark] = {"silent"}
                continue
            reasons[mark] = {"done"}
            number = int(one["objectId"]) if self.habits.numbers else one["objectId"]
            event = {"objectId": number, "eventName": one["eventName"], "customProperties": []}
            results.append({**event, "createdAt": _WHEN, "updatedAt": _WHEN, "startDateTime": None})
        errors = self._errors("update_marketing_events", refused)
        return self._said(200, results, errors, frozenset(done), reasons)

    # ------------------------------------------------------------ what is said

    def _errors(self, operation: str, refused: list[dict[str, Any]]) -> list[Any]:
        """Return what a 207 says of the inputs that were refused."""
        habits = self.habits
        if not refused:
            return []
        key = {"create_calls": "objectWriteTraceId", "create_campaigns": None}.get(operation, "ids")
        field_ = {"create_calls": "objectWriteTraceId", "read_campaigns": "id"}.get(
            operation, "objectId"
        )
        groups = [refused] if habits.grouped else [[one] for one in refused]
        errors: list[Any] = []
        for group in groups:
            names = [str(one.get(field_)) for one in group]
            message = "This input was refused"
            if habits.naming == "message" and key is not None:
                message += f": {', '.join(names)}"
            error = _error("VALIDATION_ERROR", message, status="error")
            if habits.naming == "context" and key is not None:
                error["context"] = {key: names}
            errors.append(error)
        return errors

    def _said(
        self,
        status: int,
        results: list[Any],
        errors: list[Any],
        done: frozenset[str],
        reasons: dict[str, set[str]],
    ) -> Answer:
        if self.habits.order == "reversed":
            results.reverse()
        elif self.habits.order == "shuffled":
            self.rng.shuffle(results)
        body: dict[str, Any] = {"status": "COMPLETE", "startedAt": _WHEN, "completedAt": _WHEN}
        body["results"] = results
        if errors:
            status = 207
            body |= {"numErrors": len(errors), "errors": errors}
        for _ in range(self.habits.odd):
            make_odd(body, self.rng)
        return Answer(status, body, done, reasons)


def _is_bad(text: Any) -> bool:
    return isinstance(text, str) and "refused" in text


def _is_alone(sent: dict[str, Any], inputs: Sequence[dict[str, Any]]) -> bool:
    """Return whether the name of an input tells it from all others, however it was rewritten.

    A server can give a title to a call that has none, but no campaign a name.
    """
    name, names = _name(sent), [_name(one) for one in inputs]
    filled_in = "" in names and "hs_timestamp" in sent["properties"]
    return bool(name) and names.count(name) == 1 and not filled_in


def _name(sent: dict[str, Any]) -> str:
    """Return the letters and digits of a name, which are what a rewriting leaves of it."""
    shown = sent["properties"]
    name = str(shown.get("hs_name") or shown.get("hs_call_title") or "")
    return re.sub(r"&amp;|<[^>]*>|[\W_]", "", name.replace("&amp;", "&")).lower()


def _error(category: str, message: str, **more: Any) -> dict[str, Any]:
    return {"category": category, "message": message, **more}


def _refusal(status: int, error: dict[str, Any], marks: list[str], reason: str) -> Answer:
    return Answer(status, error, frozenset(), {mark: {reason} for mark in marks})
