"""The sandbox itself: a request goes in, an answer comes out, and records stay behind.

It decides what a user may ask of it and hands every request to `visit`. It does no I/O, reads no
clock of its own, never sleeps, and its only chance is seeded: the same seed and the same requests
give the same answers, byte for byte.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from hubspot_batch_client.contract import OPERATIONS, Operation

from .clock import FakeClock
from .families import Property
from .fault_plans import Faults, plans
from .handler import visit
from .limits import RequestLimits
from .messages import Loss, SandboxAnswer, SandboxRequest
from .operations import ROWS, Row
from .state import State
from .store import Record, Store, seeded

CAMPAIGN_IDS = (
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a01",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a02",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a03",
)
MARKETING_EVENT_IDS = ("330000000101", "330000000102", "330000000103")


@frozen
class RequestEntry:
    """One line of the request log; it never holds the token, the query or the body.

    `status` is that of the answer that was made, even if `loss` kept it from the client.
    `inputs` is None when the body could not be read or nobody looked at it.
    """

    number: int
    method: str
    path: str
    operation: str | None
    status: int
    fault: str | None
    loss: Loss | None
    inputs: int | None


class Sandbox:
    """A stateful stand-in for the batch operations of the contract.

    - `seed`: of every random choice (ids, order of results, rates of faults).
    - `token`: the only token that is let in; None lets any in that is not empty.
    - `scopes`: what the token may do; None for everything.
    - `rate_limit`: requests and seconds of the rolling window; None for no limit.
    - `daily_limit`: requests in one UTC day; None for no limit.
    - `faults`: a plan or several (see `faults`), or a mapping of fault names to rates.
    - `clock`: returns seconds since 1970; by default a `FakeClock` that stands still.
    - `trace_echo`: how often, from 0 to 1, a result repeats the trace id of its input.
    - `max_inputs`: limits by operation id, in place of the contract's.

    Any number of threads may use one sandbox. ValueError for a plan that cannot be.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        token: str | None = None,
        scopes: Iterable[str] | None = None,
        rate_limit: tuple[int, float] | None = (100, 10.0),
        daily_limit: int | None = 250_000,
        faults: Faults = None,
        clock: Callable[[], float] | None = None,
        trace_echo: float = 0.75,
        max_inputs: Mapping[str, int] | None = None,
        operations: Mapping[str, Operation] = OPERATIONS,
        rows: Mapping[str, Row] = ROWS,
    ) -> None:
        self.clock = FakeClock() if clock is None else clock
        known = {name: operations[name] for name in rows}
        families = {row.family.store: row.family for row in rows.values()}
        requests, seconds = rate_limit or (None, 0.0)
        self._state = State(
            seed=seed,
            token=token,
            scopes=None if scopes is None else frozenset(scopes),
            trace_echo=trace_echo,
            rows=rows,
            operations=known,
            max_inputs={name: one.max_inputs for name, one in known.items()}
            | dict(max_inputs or {}),
            limits=RequestLimits(requests, seconds, daily_limit),
            families=families,
            stores={
                name: Store(family.guids, family.unique, family.first_number)
                for name, family in families.items()
            },
        )
        self._log: deque[RequestEntry] = deque(maxlen=100_000)
        self._lock = threading.Lock()
        self.use_faults(faults)

    def __repr__(self) -> str:
        held = ", ".join(f"{name}={len(store)}" for name, store in self._state.stores.items())
        return f"<Sandbox seed={self._state.seed} {held}>"

    def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request and do its work, unless a fault says otherwise."""
        with self._lock:
            self._state.number += 1
            verdict = visit(self._state, request, self._state.number, self.clock())
            self._log.append(
                RequestEntry(
                    number=self._state.number,
                    method=request.method,
                    path=request.path,
                    operation=verdict.operation,
                    status=verdict.answer.status,
                    fault=verdict.fault,
                    loss=verdict.answer.loss,
                    inputs=verdict.inputs,
                )
            )
            return verdict.answer

    def records(self, store: str) -> tuple[Record, ...]:
        """Return all records of a family (`calls`, `campaigns`, `marketing_events`), oldest first.

        ValueError for a family that there is not.
        """
        with self._lock:
            return tuple(self._store(store))

    @property
    def requests(self) -> tuple[RequestEntry, ...]:
        """The requests so far, oldest first; the last 100,000 are kept."""
        with self._lock:
            return tuple(self._log)

    def use_token(self, token: str | None) -> None:
        """Let in only this token from now on, as when the old one has expired; None lets all in."""
        with self._lock:
            self._state.token = token

    def use_faults(self, faults: Faults) -> None:
        """Put these plans in place of the former ones; a script begins anew."""
        running = plans(faults, self._state.operations)
        with self._lock:
            self._state.faults = running

    def add_property(self, store: str, name: str, options: Sequence[str] = ()) -> None:
        """Let records of a family have another property, as an account's settings would."""
        with self._lock:
            self._store(store)
            family = self._state.families[store]
            properties = {**family.properties, name: Property(options=tuple(options))}
            self._state.families[store] = evolve(family, properties=properties)

    def add_association_type(self, store: str, category: str, type_id: int) -> None:
        """Let records of a family be associated in another way, as an account's settings would."""
        with self._lock:
            self._store(store)
            family = self._state.families[store]
            types = family.association_types | {(category, type_id)}
            self._state.families[store] = evolve(family, association_types=types)

    def add_campaign(
        self,
        name: str,
        *,
        record_id: str | None = None,
        properties: Mapping[str, str] | None = None,
        assets: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> str:
        """Put a campaign in place and return its id.

        `assets` maps an asset type to assets: `{"FORM": [{"id": "1", "name": "...", "metrics":
        {"submissions": 3.0}}]}`.
        """
        named = {"hs_name": name, **(properties or {})}
        return self._put("campaigns", record_id, properties=named, assets=assets or {})

    def add_marketing_event(
        self,
        name: str,
        *,
        record_id: str | None = None,
        fields: Mapping[str, Any] | None = None,
        custom_properties: Mapping[str, str] | None = None,
    ) -> str:
        """Put a marketing event in place and return its object id.

        `fields` are in the API's names (`eventType`, `startDateTime`, ...).
        """
        named = {"eventName": name, **(fields or {})}
        custom = custom_properties or {}
        return self._put("marketing_events", record_id, fields=named, custom_properties=custom)

    def _put(self, name: str, record_id: str | None, **values: Any) -> str:
        with self._lock:
            store = self._store(name)
            # A generator of its own: what is put in by hand shifts no choice of a request.
            rng = seeded(self._state.seed, name, len(store))
            now = self.clock()
            made = record_id or store.new_id(rng)
            store.put(Record(made, created_at=now, updated_at=now, **values))
            return made

    def _store(self, name: str) -> Store:
        stores = self._state.stores
        if name not in stores:
            raise ValueError(f"no store is called {name!r}; choose one of: {', '.join(stores)}")
        return stores[name]


def add_examples(sandbox: Sandbox) -> None:
    """Put three campaigns and three marketing events into the sandbox, under fixed ids."""
    for number, (record_id, name) in enumerate(
        zip(CAMPAIGN_IDS, ("Spring launch", "Partner days", "Winter webinar"), strict=True), 1
    ):
        form: dict[str, Any] = {
            "id": str(900 + number),
            "name": f"{name}: registration",
            "metrics": {"submissions": 12.0 * number, "views": 340.0 * number},
        }
        sandbox.add_campaign(
            name,
            record_id=record_id,
            properties={"hs_start_date": f"2026-0{number}-01", "hs_end_date": f"2026-0{number}-28"},
            assets={"FORM": [form], "LANDING_PAGE": []},
        )
    for number, (record_id, name) in enumerate(
        zip(MARKETING_EVENT_IDS, ("Open house", "Product tour", "Roundtable"), strict=True), 1
    ):
        sandbox.add_marketing_event(
            name,
            record_id=record_id,
            fields={
                "eventOrganizer": "Events team",
                "startDateTime": f"2026-0{number}-10T09:00:00Z",
            },
            custom_properties={"room": f"{number}"},
        )
