"""Everything that one sandbox remembers and is told; plain data behind its public face.

It decides nothing.
"""

from collections.abc import Mapping

from attrs import define, field
from hubspot_batch_client.contract import Operation

from .families import Family
from .fault_plans import Running
from .limits import RequestLimits
from .operations import Row
from .store import Store


@define
class State:
    """What `visit` reads and what changes from one request to the next.

    `families` are the rows' own, with the properties and association types that users added.
    """

    seed: int
    token: str | None = field(repr=False)
    scopes: frozenset[str] | None
    trace_echo: float
    rows: Mapping[str, Row]
    operations: Mapping[str, Operation]
    max_inputs: Mapping[str, int | None]
    limits: RequestLimits
    families: dict[str, Family]
    stores: dict[str, Store]
    faults: tuple[Running, ...] = ()
    number: int = 0
