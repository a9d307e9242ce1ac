"""The plan of one soak run, drawn from its seed.

It decides the operation, the client's settings, the sandbox's, what goes wrong and where the run is
interrupted. It never runs anything.
"""

from __future__ import annotations

import random
from typing import Any

from attrs import field, frozen
from hubspot_batch import RateLimit, Retry
from hubspot_batch.sandbox import FAULTS, rates, script
from recorded_responses import CAMPAIGN
from soak_inputs import (
    FORMS,
    INTERRUPTIONS,
    LOOKALIKES,
    OPERATIONS,
    READ,
    UPDATE,
    Given,
    UnforeseenError,
    make_inputs,
)

CREATES = OPERATIONS[:2]
LIMITS = {OPERATIONS[0]: 100, OPERATIONS[1]: 50, READ: 50, UPDATE: 100}


@frozen
class Interruption:
    """Where a run is interrupted: at the `at`-th time that it comes to `where`.

    `before` and `after` are the sandbox's work, `sleep` any wait, `provider` the function that
    returns a token, `told` the one that is told of waits, `cancel` a turn of the event loop,
    `timeout` a second of `asyncio.timeout`, `key` a real signal. `again` comes a second one.
    """

    where: str
    at: int
    error: type[BaseException] = KeyboardInterrupt
    again: int | None = None


@frozen
class Plan:
    """All that is chosen for a run.

    `company` is the number of other requests that are made at the same time.
    """

    seed: int
    kind: str
    operation: str
    given: list[Given] = field(repr=False)
    form: str
    raise_at: int | None
    input_error: type[BaseException] | None
    iterate: bool
    stop_at: int | None
    stop_how: str
    arguments: dict[str, Any]
    settings: dict[str, Any]
    sandbox: dict[str, Any]
    faults: Any
    token: str
    expiries: frozenset[int]
    interruption: Interruption | None
    slow: bool
    forgetful: bool
    ids: list[str] = field(repr=False)
    answers: str = "true"
    company: int = 0

    @property
    def calm(self) -> bool:
        """Whether nothing happens that could keep an input that is sent from its plain outcome."""
        return (
            self.answers == "true"
            and self.faults is None
            and self.interruption is None
            and self.raise_at is None
            and (self.stop_at is None or self.stop_how != "client")
            and self.token in ("fixed", "provider")
            and not self.expiries
            and self.sandbox["rate_limit"] == (100, 10.0)
            and self.sandbox["daily_limit"] > 10_000
            and not self.sandbox["max_inputs"]
            and not self.forgetful
            # Who keeps to no limit is refused at some time.
            and (self.settings.get("rate_limit", True) or len(self.given) < 40)
        )


def plan(seed: int, kind: str) -> Plan:
    """Return the plan of a seed, for a kind of client (`sync` or `async`)."""
    rng = random.Random(f"{kind}/{seed}")
    operation = rng.choice(OPERATIONS)
    ids = [
        str(8_000_000 + n)
        if operation == UPDATE
        else f"11111111-1111-4111-8111-{n:012}"
        for n in range(rng.choice((1, 3, 40)))
    ]  # fmt: skip
    size = rng.choice((0, 1, 2, rng.randrange(12), rng.randrange(12), *[rng.randrange(40)] * 3))
    if rng.random() < 0.02:
        size = 130
    given = make_inputs(rng, operation, size, ids, rng.choice((0.0, 0.0, 0.1, 0.4)))
    chunk_size = rng.choice((None, 1, 1, 2, 3, 5, rng.randrange(1, LIMITS[operation] + 1)))
    iterate = rng.random() < 0.5
    interruption = _interruption(rng, kind) if rng.random() < 0.4 else None
    fails = interruption is None and rng.random() < 0.15
    stops = iterate and rng.random() < 0.4
    form = rng.choice(FORMS if not fails else [form for form in FORMS if form != "plain"])
    arguments: dict[str, Any] = {} if chunk_size is None else {"chunk_size": chunk_size}
    if operation == "create_campaigns" and rng.random() < 0.5:
        arguments["isolate"] = True
    if operation == READ and rng.random() < 0.5:
        arguments["properties"] = ["hs_name"]
        arguments |= {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    quiet = rng.random() < 0.7
    alone = interruption is not None and interruption.where in ("sleep", "provider", "told")
    settings = _settings(rng)
    daily_limit = 250_000 if rng.random() < 0.85 else rng.randrange(12)
    if daily_limit < 12 and rng.random() < 0.7:
        settings["daily_reserve"] = rng.randrange(8)
    return Plan(
        seed=seed,
        kind=kind,
        operation=operation,
        given=given,
        form=form,
        raise_at=rng.randrange(size + 1) if fails else None,
        input_error=rng.choice((ValueError, UnforeseenError, *INTERRUPTIONS)) if fails else None,
        iterate=iterate,
        stop_at=rng.randrange(size + 1) if stops else None,
        stop_how=rng.choice(("close", "close", "close twice", "leave", "client")),
        arguments=arguments,
        settings=settings,
        sandbox={
            "seed": seed,
            "trace_echo": rng.choice((0.0, 0.75, 1.0)),
            "rate_limit": (100, 10.0) if quiet else rng.choice((None, (3, 10.0), (7, 2.0))),
            "daily_limit": daily_limit,
            "limits_told": quiet or rng.random() < 0.7,
            "max_inputs": {operation: 2} if rng.random() < 0.04 else {},
        },
        faults=_faults(rng, operation, interruption),
        token=_token(rng, interruption),
        expiries=_expiries(rng, interruption),
        interruption=interruption,
        slow=rng.random() < 0.7,
        forgetful=rng.random() < 0.3,
        ids=ids,
        company=0 if alone or rng.random() < 0.8 else rng.randrange(1, 9),
    )


def body_plan(seed: int, kind: str) -> Plan:
    """Return the plan of a run in which nothing happens but that answers are changed."""
    rng = random.Random(f"body/{kind}/{seed}")
    operation = rng.choice(OPERATIONS)
    recorded = rng.random() < 0.25
    ids = (
        ["8000001", "8000002", "8000003"] if operation == UPDATE else ["a-1", "a-2", CAMPAIGN["id"]]
    )
    if recorded and operation == UPDATE:
        ids = ["990017", "990018", "990019"]
    size = rng.randrange(1, 8)
    names = LOOKALIKES if rng.random() < 0.7 else ("one", "two", "three")
    given = make_inputs(rng, operation, size, ids, rng.choice((0.0, 0.2, 0.5)), names)
    arguments: dict[str, Any] = {"chunk_size": rng.choice((size, 3))}
    if operation == "create_campaigns" and rng.random() < 0.5:
        arguments["isolate"] = True
    names_of_faults = (
        "rate_limited",
        "locked",
        "moved",
        "daily_limit",
        "expired_token",
        "500",
        None,
    )
    settings = {"max_concurrency": rng.choice((1, 1, 4)), "retry": Retry(3, 1_000.0)}
    if rng.random() < 0.3:
        settings |= {"rate_limit": None, "daily_reserve": 3}
    return Plan(
        seed=seed,
        kind=kind,
        operation=operation,
        given=given,
        form="list",
        raise_at=None,
        input_error=None,
        iterate=rng.random() < 0.2,
        stop_at=None,
        stop_how="close",
        arguments=arguments,
        settings=settings,
        sandbox={
            "seed": seed,
            "trace_echo": rng.choice((0.0, 0.5, 1.0)),
            "scopes": () if rng.random() < 0.03 else None,
            "rate_limit": (100, 10.0),
            "daily_limit": 250_000,
            "max_inputs": {},
        },
        faults=script([rng.choice(names_of_faults)]) if rng.random() < 0.2 else None,
        token="fixed",
        expiries=frozenset(),
        interruption=None,
        slow=False,
        forgetful=rng.random() < 0.3,
        ids=ids,
        answers="recorded" if recorded else "changed",
    )


def _interruption(rng: random.Random, kind: str) -> Interruption:
    places = ["before", "after", "sleep", "provider", "told"]
    places += ["cancel"] * 4 + ["timeout"] * 2 if kind == "async" else ["key"] * 2
    where = rng.choice(places)
    at = rng.choice((0, 1, 2, rng.randrange(12)))
    if where == "cancel":
        at = rng.choice((0, at, rng.randrange(80), rng.randrange(300)))
        again = rng.randrange(1, 20) if rng.random() < 0.3 else None
        return Interruption(where, at, again=again)
    if where in ("provider", "sleep", "told"):
        at = rng.choice((0, 0, 1))
    again = rng.randrange(3) if rng.random() < 0.2 else None
    errors = INTERRUPTIONS if where == "provider" else (*INTERRUPTIONS, UnforeseenError)
    return Interruption(where, at, rng.choice(errors), again)


def _settings(rng: random.Random) -> dict[str, Any]:
    settings: dict[str, Any] = {"max_concurrency": rng.randrange(1, 9)}
    if rng.random() < 0.8:
        settings["retry"] = Retry(
            rng.choice((1, 2, 5, 7)),
            rng.choice((0.0, 5.0, 120.0, 10_000.0)),
            rng.choice((None, None, 1.0, 30.0)),
        )
    if rng.random() < 0.6:
        settings["rate_limit"] = rng.choice(
            (
                None,
                RateLimit(rng.randrange(1, 6), rng.choice((1.0, 10.0))),
                RateLimit(rng.randrange(1, 6), rng.choice((1.0, 10.0)), learns=True),
                RateLimit(100, 10.0),
            )
        )
    if rng.random() < 0.2:
        settings["daily_reserve"] = rng.randrange(8)
    return settings


_DONE_OR_NOT = ("500_after", "503_after", "timeout_after", "reset_after", "empty_body")
_REFUSED = ("refused", "conflict", "413", "414", "501", "505", "525", "locked", "moved_for_a_day")
_REFUSED += ("inputs_refused", "inputs_refused", "inputs_refused")
# What a server can make of values, and how it can treat inputs that it does not like.
_REWRITES = ("milliseconds", "escaped_html", "straightened", "cut_texts", "dropped_empty")
_TREATMENTS = ("nameless_errors", "partly_refused", "incomplete_accepted")


def _faults(rng: random.Random, operation: str, interruption: Interruption | None) -> Any:
    names = sorted(FAULTS)
    if operation == UPDATE and rng.random() < 0.15:
        # What may have been done is sent again, and then refused.
        steps = [rng.choice(_DONE_OR_NOT if n % 2 == 0 else _REFUSED) for n in range(8)]
        return script(steps[rng.randrange(2) :])
    if operation in CREATES and rng.random() < 0.3:
        return rates({rng.choice((*_REWRITES, *_TREATMENTS, "nameless_errors")): 1.0})
    if interruption is not None and interruption.where in ("sleep", "told"):
        return rates({"locked": 0.3, "rate_limited_for": 0.2})  # so that there is a wait
    match rng.randrange(8):
        case 0 | 1 | 2:
            return None
        case 3:
            return rates({rng.choice(names): rng.uniform(0.05, 0.5)})
        case 4 | 5:
            chosen = rng.sample(names, rng.randrange(2, 8))
            most = rng.uniform(0.1, 0.5)
            return rates({name: most / len(chosen) for name in chosen})
        case _:
            steps = [rng.choice((None, *names)) for _ in range(rng.randrange(1, 9))]
            if rng.random() < 0.3:
                steps = [rng.choice(names)] * len(steps)
            return script(steps)


def _expiries(rng: random.Random, interruption: Interruption | None) -> frozenset[int]:
    asked_again = interruption is not None and interruption.where == "provider"
    if asked_again or rng.random() < 0.15:
        return frozenset(rng.sample(range(1, 12), 2))
    return frozenset()


def _token(rng: random.Random, interruption: Interruption | None) -> str:
    if interruption is not None and interruption.where == "provider":
        return rng.choice(("provider", "renewing"))
    return rng.choice(("fixed", "fixed", "provider", "renewing", "renewing", "stale", "failing"))
