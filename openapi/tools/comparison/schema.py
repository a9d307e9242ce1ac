"""A normal form of schemas, which is the same for all ways of writing them.

Decides which ways of writing mean the same: a reference or its target, `allOf` or one schema,
`nullable` or the type `null`, one alternative or none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from attrs import define, evolve, field, frozen
from generation.yaml_source import Pointer, is_list, is_map

from .schema_forms import (
    TEXTS,
    UNSAID,
    DeadReferenceError,
    Form,
    PartError,
    Parts,
    SchemaError,
    forms_of,
    joined,
    listed,
    mappings,
)

# No operation has as many schemas; without a bound, schemas that double at each step never end.
_MOST = 200_000
_DEEPEST = 50  # alternatives within alternatives
_MOST_ALTERNATIVES = 1_000  # each is compared with every other


@define(eq=False)
class Shape:
    """The normal form of a value's schemas: the alternatives, and the texts about it.

    Without forms the value may be anything. Texts are by keyword, with white space normalized.
    """

    forms: list[Form]
    texts: Mapping[str, tuple[str, ...]]
    default: tuple[Any, ...]
    deprecated: bool
    parts: Parts = field(repr=False)
    unsaid: frozenset[str] = frozenset()

    @property
    def kinds(self) -> dict[str, list[Form]]:
        """The forms by JSON type."""
        found: dict[str, list[Form]] = {}
        for form in self.forms:
            found.setdefault(form.kind, []).append(form)
        return found

    @property
    def label(self) -> str:
        """The types that a value may have, in a few words."""
        names = {form.label: None for form in self.forms}
        return " or ".join(sorted(names, key=lambda name: name == "null")) or "anything"

    def place(self, *keywords: str, own: bool = False) -> Pointer:
        """Return the place of the first of these keywords that exists, else of the schema.

        A schema written at the value itself comes before those that it refers to, because others
        refer to them, too; with `own` it is the only one.
        """
        here = self.parts[0][1] if self.parts else ()
        near = [part for part in self.parts if part[1][: len(here)] == here]
        far = [part for part in self.parts if part not in near and not own]
        for keyword in keywords:
            for raw, at in (*near, *far):
                if is_map(raw) and keyword in raw:
                    return (*at, keyword)
        return here

    def place_of_required(self, name: str) -> Pointer:
        """Return the place where a field is required, or would be."""
        for raw, at in self.parts:
            if is_map(raw) and name in raw.get("required", ()):
                return (*at, "required")
        return self.place("required", "properties", own=True)


@frozen(eq=False)
class Reader:
    """Reads the schemas of one document, each shape only once."""

    document: Mapping[str, Any]
    _shapes: dict[tuple[int, ...], Shape] = field(factory=dict[tuple[int, ...], Shape], init=False)
    _spent: list[int] = field(factory=lambda: [0], init=False)

    def shape(self, parts: Parts) -> Shape:
        """Return the shape of a value to which all of these schemas apply.

        Raises:
            SchemaError: A reference leads nowhere or in a circle, or something is no schema.
        """
        # A bare reference is replaced by its target, so that recursion is recognized by identity.
        parts = tuple(self.follow(*part) if _is_bare(part[0]) else part for part in parts)
        key = tuple(id(raw) for raw, _ in parts)
        if key not in self._shapes:
            try:
                self._shapes[key] = self._read(parts)
            except RecursionError:
                at = parts[0][1]
                raise SchemaError(at, "this is nested too deeply.") from None
        return self._shapes[key]

    def either(self, several: Sequence[Parts]) -> list[Shape]:
        """Return the shapes of several alternative responses.

        A field of one of them is a field of all, and is required only if all require it.
        """
        shapes = [self.shape(parts) for parts in several]
        objects = [form for shape in shapes for form in shape.forms if form.kind == "object"]
        if any(len(shape.forms) != 1 for shape in shapes) or len(objects) != len(shapes):
            return shapes
        if not shapes:
            return []
        fields = {name: parts for form in objects[::-1] for name, parts in form.fields.items()}
        required = frozenset[str].intersection(*(form.required for form in objects))
        forms = (evolve(one, fields={**fields, **one.fields}, required=required) for one in objects)
        return [evolve(shape, forms=[form]) for shape, form in zip(shapes, forms, strict=True)]

    def follow(self, raw: Any, at: Pointer) -> tuple[Any, Pointer]:
        """Resolve a chain of references; return the target and its place."""
        seen: list[Pointer] = []
        while is_map(raw) and "$ref" in raw:
            target = self._target(raw["$ref"], at)
            if target in seen:
                raise DeadReferenceError(at, f"{raw['$ref']} refers only to itself.")
            seen.append(target)
            raw, at = self._at(target, raw["$ref"], at), target
        return raw, at

    def _read(self, parts: Parts, depth: int = 0) -> Shape:
        if depth > _DEEPEST:
            raise PartError(parts[-1][1], "this holds itself as an alternative, without end.")
        flat = tuple(self._flat(parts, ()))
        choice = next(_choices(flat), None)
        forms = forms_of(flat) if choice is None else self._alternatives(flat, *choice, depth)
        inner = [*mappings(flat)] if choice is None else [*self._inner(flat, *choice)]
        return Shape(
            forms=forms,
            texts={key: texts for key in TEXTS if (texts := _texts(key, inner))},
            default=tuple(raw["default"] for raw in inner if "default" in raw)[:1],
            deprecated=any(raw.get("deprecated") is True for raw in inner),
            parts=flat,
            unsaid=frozenset(name for raw in mappings(flat) for name in raw.get(UNSAID, ())),
        )

    def _flat(self, parts: Parts, above: tuple[Pointer, ...]) -> Iterator[tuple[Any, Pointer]]:
        """Yield the schemas with references and `allOf` resolved, the outer ones first."""
        for raw, at in parts:
            if not is_map(raw):
                if raw is not True:
                    raise PartError(at, "this is no schema.")
                continue
            yield raw, at
            self._spent[0] += 1
            if self._spent[0] > _MOST:
                raise SchemaError(at, "this is too large once its references are followed.")
            if "$ref" in raw:
                target = self._target(raw["$ref"], at)
                if target in above:
                    raise DeadReferenceError(at, f"{raw['$ref']} refers only to itself.")
                inner = ((self._at(target, raw["$ref"], at), target),)
                yield from self._flat(inner, (*above, target))
            for index, part in enumerate(listed(raw, "allOf", at)):
                yield from self._flat(((part, (*at, "allOf", index)),), above)

    def _alternatives(self, flat: Parts, index: int, key: str, depth: int) -> list[Form]:
        raw, at = flat[index]
        forms: list[Form] = []
        alternatives = listed(raw, key, at)
        if len(alternatives) > _MOST_ALTERNATIVES:
            raise PartError((*at, key), f"these are more than {_MOST_ALTERNATIVES} alternatives.")
        rest = {name: value for name, value in raw.items() if name not in (key, "$ref", "allOf")}
        around = [(_alone(part), place) for part, place in flat]
        around[index] = (rest, at)
        for number, alternative in enumerate(alternatives):
            inner = self._flat(((alternative, (*at, key, number)),), ())
            parts = (*around, *((_alone(p), q) for p, q in inner))
            forms += self._read(parts, depth + 1).forms
        return joined(forms)

    def _inner(self, flat: Parts, index: int, key: str) -> Iterator[dict[str, Any]]:
        """Yield all schemas of a value, including those of its alternatives."""
        yield from mappings(flat)
        raw, at = flat[index]
        for number, alternative in enumerate(listed(raw, key, at)):
            yield from mappings(tuple(self._flat(((alternative, (*at, key, number)),), ())))

    def _target(self, reference: object, at: Pointer) -> Pointer:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise DeadReferenceError(at, f"the reference {reference!r} leads out of this file.")
        parts = unquote(reference[2:]).split("/")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)

    def _at(self, target: Pointer, reference: str, at: Pointer) -> Any:
        here: Any = self.document
        for key in target:
            if is_list(here) and str(key).isdecimal() and int(key) < len(here):
                here = here[int(key)]
            elif is_map(here) and key in here:
                here = here[key]
            else:
                raise DeadReferenceError(at, f"the reference {reference!r} leads nowhere.")
        return here


def _alone(raw: Any) -> Any:
    """Return a schema without the references that are resolved already."""
    if not is_map(raw) or not raw.keys() & {"$ref", "allOf"}:
        return raw
    return {key: value for key, value in raw.items() if key not in ("$ref", "allOf")}


def _is_bare(raw: Any) -> bool:
    return is_map(raw) and [*raw] == ["$ref"]


def _choices(flat: Parts) -> Iterator[tuple[int, str]]:
    for index, (raw, _) in enumerate(flat):
        for key in ("anyOf", "oneOf"):
            if key in raw:
                yield index, key


def _texts(key: str, raws: list[dict[str, Any]]) -> tuple[str, ...]:
    found = (raw[key] for raw in raws if raw.get(key) is not None)
    return tuple(dict.fromkeys(" ".join(str(text).split()) for text in found))
