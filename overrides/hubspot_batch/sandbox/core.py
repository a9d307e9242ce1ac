"""The sandbox itself: it takes a request, returns a response and keeps the records.

The module decides what a user can set and inspect; `handler` decides the responses. It does no I/O
and does not sleep, and its clock is the caller's. Random choices are seeded: the same seed and the
same requests give the same responses, byte for byte.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from attrs import evolve, frozen
from hubspot_batch_client.contract import OPERATIONS, Operation

from .clock import FakeClock
from .families import Property
from .fault_plans import Faults, start_plans
from .handler import handle
from .limits import RequestLimits
from .lookups import LOOKUPS, SEARCH
from .messages import Loss, SandboxRequest, SandboxResponse
from .operations import SPECS, SandboxOperation
from .properties import PROPERTIES
from .state import SandboxState
from .store import Record, Store, seeded_random
from .usage import Arrival, TokenUsage, usage_of

# The ids of the records that `add_examples` adds.
CAMPAIGN_IDS = (
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a01",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a02",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a03",
)
MARKETING_EVENT_IDS = ("330000000101", "330000000102", "330000000103")


@frozen
class RequestEntry:
    """One entry of the request log. It does not hold the token, the query or the body.

    `status` is the status of the response, even if a `loss` kept it from the client. `inputs` is
    None if the body could not be parsed, or if the path or the method is unknown. `at` is when it
    arrived, `client` the address it came from, and `app` a digest of its token.
    """

    number: int
    method: str
    path: str
    operation: str | None
    status: int
    fault: str | None
    loss: Loss | None
    inputs: int | None
    at: float = 0.0
    client: str = ""
    app: str = ""


class Sandbox:
    """A stateful stand-in for the batch operations of the contract.

    - `seed`: the seed of every random choice (ids, order of results, rates of faults).
    - `token`: the only token that is accepted; None accepts any token that is not empty.
    - `scopes`: the scopes of the token; None stands for all scopes.
    - `rate_limit`: requests and seconds of the rolling window; None for no limit.
    - `daily_limit`: requests in one UTC day; None for no limit.
    - `limits_told`: responses name in headers the limits, and the remaining requests.
    - `faults`: one or more plans (see `script` and `rates`), or a mapping of fault names to rates.
    - `clock`: returns seconds since 1970; by default a `FakeClock`, which stands still.
    - `trace_echo`: the share of results, from 0 to 1, that repeat the trace id of their input.
    - `search_lag`: the least and the most seconds after which a record of a request is found by
      a search of calls and in the list of campaigns; each record has its own.
    - `unique_properties`: the families that may have properties with unique values.
    - `max_inputs`: limits by operation id, in place of the contract's.
    - `operations`, `specs`: the contract, and the sandbox's side of each operation.

    Any number of threads may use one sandbox. ValueError for a plan that is not valid.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        token: str | None = None,
        scopes: Iterable[str] | None = None,
        rate_limit: tuple[int, float] | None = (100, 10.0),
        daily_limit: int | None = 250_000,
        limits_told: bool = True,
        faults: Faults = None,
        clock: Callable[[], float] | None = None,
        trace_echo: float = 0.75,
        search_lag: tuple[float, float] = (0.5, 20.0),
        unique_properties: Iterable[str] = ("calls",),
        max_inputs: Mapping[str, int] | None = None,
        operations: Mapping[str, Operation] = OPERATIONS,
        specs: Mapping[str, SandboxOperation] = SPECS,
    ) -> None:
        self.clock = FakeClock() if clock is None else clock
        served = {name: operations[name] for name in specs}
        families = {spec.family.name: spec.family for spec in specs.values()}
        requests, seconds = rate_limit or (None, 0.0)
        self._state = SandboxState(
            seed=seed,
            token=token,
            scopes=None if scopes is None else frozenset(scopes),
            trace_echo=trace_echo,
            specs=specs,
            operations=served,
            max_inputs={name: operation.max_inputs for name, operation in served.items()}
            | dict(max_inputs or {}),
            limits=RequestLimits(requests, seconds, daily_limit, limits_told),
            families=families,
            search_lag=search_lag,
            unique_properties=frozenset(unique_properties),
            stores={
                name: Store(family.guids, family.unique, family.id_offset)
                for name, family in families.items()
            },
        )
        self._log: deque[RequestEntry] = deque(maxlen=100_000)
        self._lock = threading.Lock()
        self.use_faults(faults)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(store)}" for name, store in self._state.stores.items())
        return f"<Sandbox seed={self._state.seed} {counts}>"

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        """Process one request, with the fault that is planned for it, and return the response."""
        with self._lock:
            self._state.request_number += 1
            now = self.clock()
            self._state.catch_up(now)
            result = handle(self._state, request, now)
            response = result.response
            self._log.append(
                RequestEntry(
                    number=self._state.request_number,
                    method=request.method,
                    path=request.path,
                    operation=result.operation,
                    status=response.status,
                    fault=result.fault,
                    loss=response.loss,
                    inputs=result.inputs,
                    at=now,
                    client=request.client,
                    app=_digest(request.headers.get("authorization", "")),
                )
            )
            return response

    def records(self, store: str) -> tuple[Record, ...]:
        """Return all records of a family (`calls`, `campaigns`, `marketing_events`), oldest first.

        ValueError for an unknown family.
        """
        with self._lock:
            self._state.catch_up(self.clock())
            return tuple(self._store(store))

    @property
    def requests(self) -> tuple[RequestEntry, ...]:
        """The log of requests, oldest first. It keeps the last 100,000."""
        with self._lock:
            return tuple(self._log)

    def usage(self) -> tuple[TokenUsage, ...]:
        """Count how the rate limit was used, for each token over all its clients.

        Searches, which have a limit of their own, and requests without a valid token are left out.
        """
        limits = self._state.limits
        if limits.requests is None:
            return ()
        by_app: dict[str, list[Arrival]] = {}
        for entry in self.requests:
            counts = entry.operation not in (None, SEARCH) and entry.loss != "refused"
            if counts and entry.status != 401:
                arrival = Arrival(entry.at, entry.client, entry.status == 429)
                by_app.setdefault(entry.app, []).append(arrival)
        limit = (limits.requests, limits.seconds)
        return tuple(usage_of(arrivals, limit) for arrivals in by_app.values())

    def use_token(self, token: str | None) -> None:
        """Accept only this token from now on, as if the old one had expired; None accepts any."""
        with self._lock:
            self._state.token = token

    def use_faults(self, faults: Faults) -> None:
        """Replace the plans of faults. A script starts from its first step."""
        plans = start_plans(faults, (*self._state.operations, *LOOKUPS, PROPERTIES))
        with self._lock:
            self._state.fault_plans = plans

    def add_property(
        self, store: str, name: str, options: Sequence[str] = (), *, unique: bool | None = None
    ) -> None:
        """Define another property of a family, as in an account's settings.

        With `unique`, no two records may have the same value, and records can be named by it; with
        False, they cannot. None refuses nothing.
        """
        with self._lock:
            self._store(store)
            made = Property(options=tuple(options))
            self._state.add_property(store, name, made, unique=unique)

    def require_property(self, store: str, name: str) -> None:
        """Require a property of new records, as in an account's settings.

        Only versions that enforce such rules refuse a record without it.
        """
        with self._lock:
            self._store(store)
            known = self._state.enforced.get(store, ())
            self._state.enforced[store] = (*known, name)

    def add_association_type(self, store: str, category: str, type_id: int) -> None:
        """Define another association type of a family, as in an account's settings."""
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
        """Store a campaign without a request and return its id.

        `assets` maps an asset type to assets: `{"FORM": [{"id": "1", "name": "...", "metrics":
        {"submissions": 3.0}}]}`.
        """
        all_properties = {"hs_name": name, **(properties or {})}
        return self._add("campaigns", record_id, properties=all_properties, assets=assets or {})

    def add_marketing_event(
        self,
        name: str,
        *,
        record_id: str | None = None,
        fields: Mapping[str, Any] | None = None,
        custom_properties: Mapping[str, str] | None = None,
    ) -> str:
        """Store a marketing event without a request and return its object id.

        The names of `fields` are the API's (`eventType`, `startDateTime`, ...).
        """
        all_fields = {"eventName": name, **(fields or {})}
        custom = custom_properties or {}
        return self._add("marketing_events", record_id, fields=all_fields, custom_properties=custom)

    def add_record(
        self,
        store: str,
        record_id: str | None = None,
        *,
        properties: Mapping[str, str] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> str:
        """Store a record of any family without a request and return its id.

        For an operation with names in its path, `store` is the family and those names:
        `objects/contacts`. `fields` are the fields of the record beside its properties.
        """
        return self._add(store, record_id, properties=properties or {}, fields=fields or {})

    def _add(self, name: str, record_id: str | None, **values: Any) -> str:
        with self._lock:
            store = self._store(name)
            # It has its own generator, so added records do not shift the choices of requests.
            rng = seeded_random(self._state.seed, name, len(store))
            now = self.clock()
            record_id = record_id or store.new_id(rng)
            store.put(Record(record_id, created_at=now, updated_at=now, **values))
            return record_id

    def _store(self, name: str) -> Store:
        stores = self._state.stores
        family, slash, names = name.partition("/")
        if name not in stores and slash and family in stores:
            return self._state.store(family, (names,))
        if name not in stores:
            raise ValueError(f"no store is called {name!r}; choose one of: {', '.join(stores)}")
        return stores[name]


def _digest(authorization: str) -> str:
    return blake2b(authorization.encode(), digest_size=8).hexdigest()


def add_examples(sandbox: Sandbox) -> None:
    """Add three campaigns and three marketing events, with the same ids in every sandbox."""
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
