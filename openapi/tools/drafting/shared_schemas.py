"""The schemas that the fragments have already, and that a new fragment can refer to.

Decides when a published schema is one of them: if the comparison that `make drift` uses finds no
difference, the names have a word in common, it is used in the same direction, and its name is not
that of another family.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field
from comparison.compare_schema import Comparison
from comparison.findings import Direction
from comparison.schema import Reader
from comparison.schema_forms import Parts
from generation import fragment_rules
from generation.operation_model import follow, operations
from generation.yaml_source import is_map

from .names import class_name, related, spoken

# In a response our fragments say more than HubSpot does: a field can be null, a value can be new.
_ALLOWED = ("nullable", "open")


@define
class SharedSchemas:
    """The schemas of a bundle, by the direction in which operations use them."""

    bundle: Mapping[str, Any]
    tag: str
    _reader: Reader = field(init=False)
    _used: dict[Direction, list[str]] = field(factory=dict[Direction, list[str]], init=False)

    def __attrs_post_init__(self) -> None:
        self._reader = Reader(self.bundle)
        families = {tag for item in self._operations() for tag in item.get("tags", [])}
        others = tuple(class_name(spoken(t, one=True).split()) for t in families - {self.tag})
        for way in ("request", "response"):
            self._used[way] = [one for one in self._reached(way) if not one.startswith(others)]

    @property
    def schemas(self) -> dict[str, Any]:
        """All schemas by name."""
        found: dict[str, Any] = self.bundle.get("components", {}).get("schemas", {})
        return found

    def find(self, parts: Parts, reader: Reader, way: Direction, names: tuple[str, ...]) -> str:
        """Return the schema that is the same as a published one, or an empty text.

        Args:
            parts: The published schema.
            reader: Reads it.
            way: Where it is used.
            names: Its published name, and the name of the field that has it.
        """
        for name in self._used[way]:
            if any(related(name, other) for other in names) and self._same(
                name, parts, reader, way
            ):
                return name
        return ""

    def _same(self, name: str, parts: Parts, reader: Reader, way: Direction) -> bool:
        at = ("components", "schemas", name)
        ours: Parts = ((self.schemas[name], at),)
        here = Comparison(name, self._reader, reader, words=False)
        here.compare_schemas(ours, parts, "", way)
        return all(way == "response" and one.kind in _ALLOWED and one.was for one in here.findings)

    def _operations(self) -> Iterator[dict[str, Any]]:
        for (_, _, method), item in operations(self.bundle):
            yield item[str(method)]

    def _reached(self, way: Direction) -> Iterator[str]:
        """Yield the schemas that requests or responses refer to, near ones first."""
        part = "requestBody" if way == "request" else "responses"
        waiting: list[Any] = [operation.get(part) for operation in self._operations()]
        seen: set[str] = set()
        while waiting:
            for _, node in fragment_rules.walk(waiting.pop(0)):
                reference = node.get("$ref")
                if isinstance(reference, str) and reference not in seen:
                    seen.add(reference)
                    _, target = follow(self.bundle, (), {"$ref": reference})
                    waiting.append(target if is_map(target) else None)
                    if reference.startswith("#/components/schemas/"):
                        yield reference.rpartition("/")[2]
