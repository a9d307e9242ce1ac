"""The differences between two schemas, one finding for each.

Decides what counts as a difference, and whether it allows less, more or something else. schema.py
evens out how a schema was written, and findings.py decides how much a difference matters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, TypeAlias, TypeVar

from attrs import evolve, field, frozen
from generation.yaml_source import Pointer

from .findings import (
    DATES,
    REWORDED,
    UNREADABLE,
    Change,
    Direction,
    Finding,
    Verdict,
    change_of_format,
    change_of_kinds,
    change_of_presence,
    change_of_rule,
    severity_of_value,
)
from .schema import Reader, Shape
from .schema_forms import DeadReferenceError, Form, PartError, Parts, SchemaError

Shown: TypeAlias = tuple[Any, Any]
"""The old and the new value in a finding, as JSON."""

T = TypeVar("T")
Locate: TypeAlias = Callable[[Pointer], tuple[str, int]]
"""Returns the file and line of a place in the old document."""

# No two versions of an operation need nearly as many, and a reader could not use more findings.
_MOST_VISITS = 50_000
_DEEPEST = 100  # as deep as a fragment may be nested


@frozen
class Agreement:
    """Something that both sides say in the same way."""

    pointer: str
    kind: str
    value: Any


def escape(name: str | int) -> str:
    """Escape a name for a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")


@frozen(eq=False)
class Comparison:
    """Compares the schemas of one operation, and collects the findings.

    Attributes:
        operation: The operation's id.
        old, new: The readers of the two sides' schemas.
        locate: Returns the file and line of a place in the old document, if that is ours.
        words: True if descriptions and other texts are compared.
        strict: True if a part that cannot be read ends the comparison; else it is a finding.
        unread: The places of the parts that cannot be read.
        skipped: Why parts cannot be read that cannot be read on both sides, for the same reason.
        within: The pairs that are being compared, the outermost first.
        visits: One item for each pair that was compared, so that a comparison comes to an end.
    """

    operation: str
    old: Reader
    new: Reader
    locate: Locate | None = None
    words: bool = True
    strict: bool = False
    findings: list[Finding] = field(factory=list[Finding])
    agreed: list[Agreement] = field(factory=list[Agreement])
    unread: set[str] = field(factory=set[str])
    skipped: list[str] = field(factory=list[str])
    within: list[tuple[int, int, Direction]] = field(factory=list[tuple[int, int, Direction]])
    visits: list[None] = field(factory=list[None])

    def note(
        self,
        verdict: Verdict,
        kind: str,
        pointer: str,
        shown: Shown,
        at: Pointer | None = None,
    ) -> None:
        """Add a finding with the values of both sides; `at` is its place in the old document."""
        file, line = self.locate(at) if self.locate and at is not None else (None, None)
        self.findings.append(
            Finding(
                operation=self.operation,
                pointer=pointer,
                kind=kind,
                severity=verdict[0],
                was=shown[0],
                now=shown[1],
                why=verdict[1],
                file=file,
                line=line,
            )
        )

    def note_value(
        self, kind: str, pointer: str, shown: Shown, *, way: Direction, change: Change, at: Pointer
    ) -> None:
        """Add a finding about what a value may be."""
        self.note(severity_of_value(kind, change, way), kind, pointer, shown, at)

    def compare_texts(
        self,
        old: Mapping[str, tuple[str, ...]],
        new: Mapping[str, tuple[str, ...]],
        pointer: str,
        at: Pointer,
    ) -> None:
        """Add a finding for each text that differs."""
        for key in sorted({*old, *new}) if self.words else ():
            was, now = old.get(key, ()), new.get(key, ())
            if was != now:
                shown = (" / ".join(was) or None, " / ".join(now) or None)
                self.note(REWORDED, "wording", f"{pointer}/{key}", shown, at)
            else:
                self.agreed.append(Agreement(f"{pointer}/{key}", "wording", was))

    def read_both(
        self, pointer: str, at: Pointer | None, old: Callable[[], T], new: Callable[[], T]
    ) -> tuple[T, T] | None:
        """Read a part of both sides.

        If it cannot be read, that is a finding, and None is returned. It is none if neither side
        can be read for the same reason: nothing is known to have changed.
        """
        (one, was), (other, now) = self._attempt(old), self._attempt(new)
        if one is not None and other is not None:
            return one[0], other[0]
        self.unread.add(pointer)
        if was is not None and now is not None and was.text == now.text:
            self.skipped.append(was.text)
        else:
            self._note_unread(pointer, was, now, at)
        return None

    def read_one(
        self, pointer: str, at: Pointer, read: Callable[[], T], *, is_old: bool
    ) -> T | None:
        """Read a part of one side like `read_both`."""
        found, error = self._attempt(read)
        if found is not None:
            return found[0]
        self.unread.add(pointer)
        was, now = (error, None) if is_old else (None, error)
        self._note_unread(pointer, was, now, at)
        return None

    def _note_unread(
        self, pointer: str, was: PartError | None, now: PartError | None, at: Pointer | None
    ) -> None:
        kind = next(one.kind for one in (was, now) if one is not None)
        self.note(UNREADABLE, kind, pointer, (was and str(was), now and str(now)), at)

    def _attempt(self, read: Callable[[], T]) -> tuple[tuple[T] | None, PartError | None]:
        """Return what is read, in a tuple, or None and why it cannot be read."""
        try:
            return (read(),), None
        except PartError as error:
            if self.strict:
                raise
            return None, error

    def compare_schemas(self, old: Parts, new: Parts, pointer: str, way: Direction) -> None:
        """Compare what two values may be."""
        at = old[0][1] if old else None
        read = (lambda: self.old.shape(old), lambda: self.new.shape(new))
        if shapes := self.read_both(pointer, at, *read):
            self.compare_shapes(*shapes, pointer, way)

    def compare_shapes(self, old: Shape, new: Shape, pointer: str, way: Direction) -> None:
        """Compare two shapes, which schema.py made from schemas."""
        pair = (id(old), id(new), way)
        if pair in self.within:  # the value contains itself
            return
        self.visits.append(None)
        if len(self.within) > _DEEPEST:
            raise SchemaError(old.place(), "this is nested too deeply.")
        if len(self.visits) > _MOST_VISITS:
            raise SchemaError(old.place(), "this is too large once its references are followed.")
        self.within.append(pair)
        self.compare_texts(old.texts, new.texts, pointer, old.place("description"))
        if "default" not in new.unsaid:
            self._default(old, new, pointer, way)
        if "type" not in new.unsaid:
            self._kinds(old, new, pointer, way)
        self.within.pop()

    def _default(self, old: Shape, new: Shape, pointer: str, way: Direction) -> None:
        if old.default != new.default:
            change = change_of_presence(bool(old.default), bool(new.default))
            shown = (next(iter(old.default), None), next(iter(new.default), None))
            at = old.place("default")
            here = f"{pointer}/default"
            self.note_value("default", here, shown, way=way, change=change, at=at)
        if old.deprecated != new.deprecated:
            change = "added" if new.deprecated else "removed"
            shown = (old.deprecated, new.deprecated)
            here = f"{pointer}/deprecated"
            self.note_value("deprecated", here, shown, way=way, change=change, at=old.place())

    def _kinds(self, old: Shape, new: Shape, pointer: str, way: Direction) -> None:
        ours, theirs = old.kinds, new.kinds
        had, has = (frozenset(kinds) - {"null"} for kinds in (ours, theirs))
        if "number" in new.unsaid and "number" in had and "integer" in has:
            has = has - {"integer"} | {"number"}  # an example of a number may happen to be whole
        at = old.place("type", "anyOf", "oneOf", "enum", "properties")
        shown = (old.label, new.label)
        if had != has:
            change = change_of_kinds(had, has)
            self.note_value("type", pointer, shown, way=way, change=change, at=at)
        else:
            self.agreed.append(Agreement(pointer, "type", shown[0]))
        if had and has and "null" not in new.unsaid:
            was, now = "null" in ours, "null" in theirs
            if was != now:
                change = "wider" if now else "narrower"
                self.note_value("nullable", pointer, (was, now), way=way, change=change, at=at)
            else:
                self.agreed.append(Agreement(pointer, "nullable", was))
        for kind in sorted(had & has):
            pairs = self._paired(ours[kind], theirs.get(kind) or theirs["integer"], way)
            for one, other in pairs:
                if one and other:
                    self._form(old, one, other, pointer, way)
                else:
                    change = "wider" if other else "narrower"
                    named = (one and one.label, other and other.label)
                    self.note_value("alternative", pointer, named, way=way, change=change, at=at)

    def _paired(
        self, old: list[Form], new: list[Form], way: Direction
    ) -> Iterator[tuple[Form | None, Form | None]]:
        """Pair equal alternatives, then the others in their order."""
        if len(old) == len(new) == 1:
            yield old[0], new[0]
            return
        left = [*new]
        lone: list[Form] = []
        for form in old:
            alike = next((other for other in left if self._alike(form, other, way)), None)
            if alike is None:
                lone.append(form)
            else:
                left.remove(alike)
                yield form, alike
        yield from zip_longest(lone, left)

    def _alike(self, old: Form, new: Form, way: Direction) -> bool:
        attempt = evolve(
            self, words=False, findings=[], agreed=[], skipped=[], within=[*self.within]
        )
        attempt._form(Shape([], {}, (), False, ()), old, new, "", way)
        return not attempt.findings

    def _form(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        self._format(shape, old, new, pointer, way)
        if "enum" not in new.unsaid:
            self._enum(shape, old, new, pointer, way)
        if "rules" not in new.unsaid:
            self._rules(shape, old, new, pointer, way)
        if old.kind == "array":
            self.compare_schemas(old.items, new.items, f"{pointer}/items", way)
        if old.kind == "object" and "properties" not in new.unsaid:
            self._fields(shape, old, new, pointer, way)
        if old.kind == "object" and "additionalProperties" not in new.unsaid:
            self._others(shape, old, new, pointer, way)

    def _format(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        if "format" in new.unsaid and (old.format not in DATES and new.format is None):
            return
        pair = (old.format, new.format)
        if old.format == new.format:
            self.agreed.append(Agreement(pointer, "format", old.format))
            return
        change = change_of_format(old.format, new.format, way)
        at = shape.place("format", "type")
        self.note_value("format", f"{pointer}/format", pair, way=way, change=change, at=at)

    def _enum(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        at, here = shape.place("enum", "anyOf", "oneOf", "type"), f"{pointer}/enum"
        if old.values is None or new.values is None:
            if old.values is not new.values:
                change: Change = "narrower" if old.values is None else "wider"
                shown = (_listed(old.values), _listed(new.values))
                self.note_value("enum", here, shown, way=way, change=change, at=at)
            return
        for value in sorted(old.values - new.values):
            self.note_value("enum", here, (value, None), way=way, change="removed", at=at)
        for value in sorted(new.values - old.values):
            self.note_value("enum", here, (None, value), way=way, change="added", at=at)
        if "open" in new.unsaid:
            return
        if old.open != new.open:
            change = "wider" if new.open else "narrower"
            self.note_value("open", here, (old.open, new.open), way=way, change=change, at=at)
        else:
            self.agreed.append(Agreement(here, "open", old.open))

    def _rules(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        for name in sorted({*old.rules, *new.rules}):
            was, now = old.rules.get(name), new.rules.get(name)
            if was == now or (pointer, name) == LIMIT:
                continue
            change = change_of_rule(name, was, now)
            at = shape.place(name, "type")
            self.note_value("rule", f"{pointer}/{name}", (was, now), way=way, change=change, at=at)

    def _fields(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        if "additionalProperties" in new.unsaid and not old.fields:
            # The keys in the example of a map are not field names.
            if not isinstance(old.others, bool):
                for parts in new.fields.values():
                    self.compare_schemas(old.others, parts, f"{pointer}/additionalProperties", way)
            return
        at = shape.place("properties", "type")
        for name in [*old.fields, *(name for name in new.fields if name not in old.fields)]:
            here = f"{pointer}/properties/{escape(name)}"
            said = name not in new.unsaid and "required" not in new.unsaid
            if name not in new.fields:
                shown = self._label(self.old, old.fields[name])
                place = old.fields[name][0][1]
                self.note_value("field", here, (shown, None), way=way, change="removed", at=place)
                continue
            if name not in old.fields:
                needed = said and name in new.required and way == "request"
                verdict = severity_of_value("required" if needed else "field", "added", way)
                shown = self._label(self.new, new.fields[name])
                self.note(verdict, "field", here, (None, shown), at)
                continue
            was, now = name in old.required, name in new.required
            if said and was != now:
                change: Change = "added" if now else "removed"
                place = shape.place_of_required(name)
                self.note_value("required", here, (was, now), way=way, change=change, at=place)
            elif said:
                self.agreed.append(Agreement(here, "required", was))
            self.agreed.append(Agreement(here, "field", self._label(self.old, old.fields[name])))
            self.compare_schemas(old.fields[name], new.fields[name], here, way)
        # A required field that `properties` does not declare falls under additionalProperties.
        for name in sorted((old.required ^ new.required) - {*old.fields, *new.fields}):
            needed = name in new.required
            change = "added" if needed else "removed"
            here = f"{pointer}/properties/{escape(name)}"
            self.note_value("required", here, (not needed, needed), way=way, change=change, at=at)

    def _label(self, side: Reader, parts: Parts) -> str:
        try:
            return side.shape(parts).label
        except PartError as error:
            if self.strict:
                raise
            dead = isinstance(error, DeadReferenceError)
            return "a reference that leads nowhere" if dead else "a schema that cannot be read"

    def _others(self, shape: Shape, old: Form, new: Form, pointer: str, way: Direction) -> None:
        here = f"{pointer}/additionalProperties"
        at = shape.place("additionalProperties", "type")
        if (old.others is False) != (new.others is False):
            change: Change = "narrower" if new.others is False else "wider"
            shown = (old.others is not False, new.others is not False)
            self.note_value("others", here, shown, way=way, change=change, at=at)
        elif old.others is not False and new.others is not False:
            one, other = (() if side is True else side for side in (old.others, new.others))
            self.compare_schemas(one, other, here, way)


LIMIT = ("/request/properties/inputs", "maxItems")
"""The place of the batch limit, which compare_operation.py compares."""


def _listed(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
