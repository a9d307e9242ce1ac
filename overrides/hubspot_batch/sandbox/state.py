"""The state of one sandbox: its settings, and what changes from one request to the next."""

from collections.abc import Callable, Mapping

from attrs import define, evolve, field
from hubspot_batch_client.contract import Operation

from .families import Family, Property
from .fault_plans import ActivePlan
from .limits import RequestLimits
from .operations import SandboxOperation
from .store import Store


@define
class SandboxState:
    """The data that `handler` works on.

    `families` are those of the specs, with the properties and association types that users added.
    """

    seed: int
    token: str | None = field(repr=False)
    scopes: frozenset[str] | None
    trace_echo: float
    specs: Mapping[str, SandboxOperation]
    operations: Mapping[str, Operation]
    max_inputs: Mapping[str, int | None]
    limits: RequestLimits
    families: dict[str, Family]
    stores: dict[str, Store]
    fault_plans: tuple[ActivePlan, ...] = ()
    # The properties that the account requires, by family, where its rules are enforced.
    enforced: dict[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    request_number: int = 0
    search_lag: tuple[float, float] = (0.0, 0.0)
    unique_properties: frozenset[str] = frozenset()
    # When the search index of a new property is built, by family and name.
    indexed_at: dict[tuple[str, str], float] = field(factory=dict[tuple[str, str], float])
    searches: RequestLimits = field(factory=lambda: RequestLimits(5, 1.0, None, in_headers=False))
    # Work that is done later than its request was answered: when, and what.
    late: list[tuple[float, Callable[[float], object]]] = field(
        factory=list[tuple[float, Callable[[float], object]]]
    )

    def catch_up(self, now: float) -> None:
        """Do the late work that is due."""
        due = sorted((one for one in self.late if one[0] <= now), key=lambda one: one[0])
        self.late = [one for one in self.late if one[0] > now]
        for moment, work in due:
            work(moment)

    def add_property(self, family: str, name: str, made: Property, *, unique: bool | None) -> None:
        """Define another property of a family."""
        found = self.families[family]
        self.families[family] = evolve(
            found,
            properties={**found.properties, name: made},
            keys=(*found.keys, name) if unique else found.keys,
            naming=(*found.naming, name) if unique is None else found.naming,
        )

    def store(self, family: str, names: tuple[str, ...] = ()) -> Store:
        """Return the records of a family; those under other names in a path are apart."""
        place = "/".join((family, *names))
        if place not in self.stores:
            found = self.families[family]
            self.stores[place] = Store(found.guids, found.unique, found.id_offset)
        return self.stores[place]
