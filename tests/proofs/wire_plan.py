"""The plan of a run over the wire: the client, its inputs, and the faults, out of a seed.

It decides nothing else. Names of inputs are distinguished by letters and digits that no rewriting
changes, except where a plan wants names that can be confused.
"""

from __future__ import annotations

import random
from typing import Any

from attrs import frozen
from wire_faults import FAULTS, SLOW_FAULTS
from wire_proxy import PROXY_FAULTS
from wire_store import CREATES, MARK, REWRITES, Habits, mark_of

OPERATIONS = (*CREATES, "read_campaigns", "update_marketing_events")
WAYS = ("plain", "tls", "proxy")
IDLE = ("stray", "half-close", "reset", "close", "nothing")
TOKEN = "a-token-of-the-wire-0123456789"
SHORT, LONG = 0.15, 15.0
"""Time-outs: one for faults that only a time-out ends, and one that none of the others reaches."""

_TIMES = ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123456Z")
_CONFUSING = ("A & B", "A &amp; B", "A &amp;amp; B", "<b>A B</b>", "A  B", "a b", "\u201cA B\u201d")


@frozen
class WirePlan:
    """A run, before it begins.

    Attributes:
        known: The ids of records that exist.
        faults: The names of faults that requests meet, in turn.
        proxy_faults: The same of connections to the proxy; None without a proxy.
        limited: Whether the client keeps to the limits that it is told.
        cancel_after: Seconds until the run is cancelled; None if it is not.
        idle: What happens on idle connections behind the run.
    """

    seed: int
    kind: str
    operation: str
    way: str
    inputs: tuple[Any, ...]
    known: tuple[str, ...]
    habits: Habits
    faults: tuple[str | None, ...]
    proxy_faults: tuple[str | None, ...] | None
    timeout: float
    attempts: int
    concurrency: int
    chunk_size: int
    iterate: bool
    isolate: bool
    limited: bool
    cancel_after: float | None
    idle: str

    @property
    def marks(self) -> list[str]:
        """The mark of each input, as the server knows it."""
        return [self.mark(one) for one in self.inputs]

    def mark(self, given: Any) -> str:
        """Return the mark of an input."""
        return str(given) if self.operation == "read_campaigns" else mark_of(self.operation, given)

    @property
    def calm(self) -> bool:
        """Whether nothing goes wrong, and nothing is left unsaid."""
        quiet = not any(self.faults) and not any(self.proxy_faults or ())
        return quiet and not self.habits.forgets and self.cancel_after is None


def wire_plan(seed: int, kind: str) -> WirePlan:
    """Return the run of a seed, for a kind of client."""
    rng = random.Random(f"wire/{kind}/{seed}")
    operation = rng.choice(OPERATIONS)
    known = tuple(str(n) for n in range(1000, 1000 + rng.randrange(1, 12)))
    size = rng.choice((1, 2, 3, 5, 8, 13, 30))
    way = rng.choices(WAYS, (6, 1, 2))[0]
    slow = rng.random() < 0.1
    faults = _faults(rng, seed, slow=slow)
    proxy_faults = None
    if way == "proxy":
        bad = rng.choice((0.0, 0.5, 0.9))
        proxy_faults = tuple(
            rng.choice(PROXY_FAULTS) if rng.random() < bad else None for _ in range(12)
        )
    return WirePlan(
        *(seed, kind, operation, way),
        inputs=_inputs(rng, operation, size, known),
        known=known,
        habits=_habits(rng),
        faults=faults,
        proxy_faults=proxy_faults,
        timeout=SHORT if slow else LONG,
        attempts=rng.choice((1, 2, 3, 5)),
        concurrency=rng.choice((1, 1, 2, 4)),
        chunk_size=rng.choice((1, 2, 3, 5, 50)),
        iterate=rng.random() < 0.3,
        isolate=operation == "create_campaigns" and rng.random() < 0.3,
        limited=rng.random() < 0.3,
        cancel_after=rng.random() * 0.02 if kind == "async" and rng.random() < 0.1 else None,
        idle=rng.choice(IDLE),
    )


def _faults(rng: random.Random, seed: int, *, slow: bool) -> tuple[str | None, ...]:
    share = rng.choice((0.0, 0.2, 0.5, 0.9))
    each = [*FAULTS][seed % len(FAULTS)]
    names = rng.choice(([*FAULTS], rng.sample([*FAULTS], 2), [each], [each]))
    faults = [rng.choice(names) if rng.random() < share else None for _ in range(40)]
    if slow:
        for _ in range(2):
            faults[rng.randrange(5)] = rng.choice([*SLOW_FAULTS])
    return tuple(faults)


def _habits(rng: random.Random) -> Habits:
    return Habits(
        order=rng.choice(("same", "reversed", "shuffled")),
        echo=rng.choice(("all", "no marks", "no marks", "rewritten")),
        rewrite=rng.choice([*REWRITES]),
        traces=rng.random() < 0.6,
        naming=rng.choice(("context", "context", "message", "nothing")),
        grouped=rng.random() < 0.4,
        campaigns=rng.choice(("partial", "partial", "refused")),
        missing=rng.choice(("error", "silence")),
        numbers=rng.random() < 0.2,
        forgets=rng.choice((0.0, 0.0, 0.0, 0.3, 1.0)),
        repetitions=rng.choice(("again", "error", "400", "409")),
        odd=rng.choice((0, 0, 1, 3)),
    )


def _inputs(
    rng: random.Random, operation: str, size: int, known: tuple[str, ...]
) -> tuple[Any, ...]:
    bad = rng.choice((0.0, 0.0, 0.1, 0.3))
    ids = [*known, "777", "778"] if bad else [*known]
    if operation == "read_campaigns":
        return tuple(rng.choice(ids) for _ in range(size))
    if operation == "update_marketing_events":
        return tuple(
            {"objectId": rng.choice(ids), "eventName": f"Name {n}", "customProperties": []}
            for n in range(size)
        )
    confusing, traced, some = rng.random() < 0.3, rng.random() < 0.5, rng.random() < 0.3
    made: list[dict[str, Any]] = []
    for n in range(size):
        name: str | None = rng.choice(_CONFUSING) if confusing else f"Spring {n:04}"
        if rng.random() < bad:
            name = f"refused {n:04}" if rng.random() < 0.6 else None
        if operation == "create_campaigns":
            properties = {"hs_notes": rng.choice(("x", f"Notes {n:04}")), MARK: str(n)}
            made.append({"properties": properties | ({"hs_name": name} if name else {})})
            continue
        properties = {"hs_timestamp": rng.choice(_TIMES)}
        association = {
            "to": {"id": str(100_000 + n)},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
        }
        one = {
            "properties": properties | ({"hs_call_title": name} if name else {}),
            "associations": [association],
        }
        if traced and not (some and rng.random() < 0.3):
            one["objectWriteTraceId"] = f"trace-{n}"
        made.append(one)
    return tuple(made)
