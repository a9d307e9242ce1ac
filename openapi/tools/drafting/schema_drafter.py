"""Published schemas -> schemas in the house's form.

Decides what a schema of a fragment says: objects, maps and enumerations have names; what a response
may lack can be null there; an enumeration of a response is open; a schema that the fragments have
already is referred to.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from comparison.findings import Direction
from comparison.schema import Reader, Shape
from comparison.schema_forms import Form, Parts, SchemaError
from generation.keywords import OF_TYPES
from generation.python_names import member_name
from generation.schema_rules import FORMATS
from generation.yaml_source import is_list, is_map

from .names import part_names
from .shared_schemas import SharedSchemas
from .wording import Place, Wording

Schema = dict[str, Any]

_NULL = {"type": "null"}
_MOMENTS = ("date", "date-time", "uuid")
_RULES = {
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
    "number": OF_TYPES["number", "integer"],
    "integer": OF_TYPES["number", "integer"],
}


def reference(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


@define(eq=False)
class SchemaDrafter:
    """Makes the schemas of one operation, and remembers what it could not take over.

    Attributes:
        reader: Reads the published schemas.
        shared: What the fragments have.
        words: Describes what is made.
        source: The `x-source` of each schema.
        own: The names of the schemas that the family has already.
        batches: The owners of the fields that become arguments of the method.
        schemas: The new schemas by name.
        guessed: The fields that are described from their names only.
        lost: Sentences about what has no place in a fragment.
    """

    reader: Reader
    shared: SharedSchemas
    words: Wording
    source: str
    own: frozenset[str] = frozenset()
    batches: frozenset[str] = frozenset()
    schemas: dict[str, Schema] = field(factory=dict[str, Schema])
    guessed: list[str] = field(factory=list[str])
    lost: list[str] = field(factory=list[str])
    _made: dict[tuple[object, ...], str] = field(factory=dict[tuple[object, ...], str])
    _lists: list[int] = field(factory=list[int])  # the items of the lists around

    def add(self, names: Iterable[str], schema: Schema) -> str:
        """Add a schema under the first name that is free, or is that of the same schema."""
        schema = self.sourced(schema)
        taken = {key.lower() for key in (*self.shared.schemas, *self.schemas)}
        for name in names:
            found = self.schemas.get(name)
            if found is None and name in self.own:
                found = self.shared.schemas[name]
            if found is not None and _plain(found) == _plain(schema):
                return name
            if name.lower() not in taken:
                self.schemas[name] = schema
                return name
        raise AssertionError("names do not end")

    def sourced(self, schema: Schema) -> Schema:
        """Return a schema with its source, which stands behind its type and its description."""
        head: Schema = {key: schema[key] for key in ("type", "description") if key in schema}
        return {**head, "x-source": self.source, **schema}

    def fields(
        self, form: Form, way: Direction, owner: str, skipped: Iterable[str] = ()
    ) -> tuple[Schema, list[str]]:
        """Return the fields of an object, and the names of those that it must have."""
        made: Schema = {}
        for name in sorted(form.fields, key=lambda name: name != "id"):
            if name not in skipped:
                parts = form.fields[name]
                optional = way == "response" and name not in form.required
                made[name] = self.value(parts, way, owner, name, optional=optional)
        return made, [name for name in made if name in form.required]

    def value(
        self, parts: Parts, way: Direction, owner: str, name: str, *, optional: bool = False
    ) -> Schema:
        """Return the schema of a field, which can be null if it is optional in a response."""
        shape = self.reader.shape(parts)
        forms = [form for form in shape.forms if form.kind != "null"]
        first = forms[0] if forms else None
        of_batch = owner in self.batches
        place: Place = "argument" if of_batch else "input" if way == "request" else "result"
        text, guessed = self.words.field(
            name, first.kind if first else "", first.format if first else None, place
        )
        made = self._bare(parts, way, owner, name, text, optional=optional)
        if guessed and "description" in made:
            self.guessed.append(f"{owner}.{name}")
        return made

    def _bare(
        self,
        parts: Parts,
        way: Direction,
        owner: str,
        name: str,
        text: str = "",
        *,
        optional: bool = False,
    ) -> Schema:
        shape = self.reader.shape(parts)
        forms = [form for form in shape.forms if form.kind != "null"]
        drafts = [self._draft(form, parts, way, owner, name, len(forms) > 1) for form in forms]
        null = bool(forms) and (optional or len(forms) < len(shape.forms))
        return {**_joined(drafts, text, null=null), **self._more(shape, way, owner, name)}

    def _more(self, shape: Shape, way: Direction, owner: str, name: str) -> Schema:
        """Return the keywords beside the type. A default of a response is never filled in."""
        more: Schema = {"deprecated": True} if shape.deprecated else {}
        if shape.default and way == "request":
            (given,) = shape.default
            if any(_fits(given, form) for form in shape.forms):
                return {**more, "default": given}
            self.lost.append(f"{owner}.{name}: the default {given!r} is left out.")
        return more

    def _draft(
        self, form: Form, parts: Parts, way: Direction, owner: str, name: str, several: bool
    ) -> Schema:
        if form.kind == "object":
            return reference(self._object(form, parts, way, owner, name, several))
        if form.values is not None and form.kind in ("string", "integer"):
            return self._enumeration(form, parts, way, owner, name)
        made: Schema = {"type": form.kind}
        if form.kind == "array":
            made["items"] = self._items(form, way, owner, name)
        elif form.format in FORMATS:
            made["format"] = form.format
        elif form.format:
            self.lost.append(f"{owner}.{name}: the format {form.format!r} is left out.")
        return {**made, **self._rules(form, owner, name)}

    def _items(self, form: Form, way: Direction, owner: str, name: str) -> Schema:
        if not form.items:
            return {}
        raw, at = self.reader.follow(*form.items[0])
        if id(raw) in self._lists:
            raise SchemaError(at, "this is a list of itself, which has no name in a fragment.")
        self._lists.append(id(raw))
        made = self._bare(form.items, way, owner, name)
        self._lists.pop()
        return made

    def _rules(self, form: Form, owner: str, name: str) -> Schema:
        kept: Schema = {}
        for key, value in form.rules.items():
            if key in _RULES.get(form.kind, ()) and _is_rule(key, value):
                kept[key] = value
            else:
                self.lost.append(f"{owner}.{name}: the rule `{key}` is left out.")
        return kept

    def _enumeration(
        self, form: Form, parts: Parts, way: Direction, owner: str, name: str
    ) -> Schema:
        listed = sorted(form.values or ())
        values: list[Any] = [int(one) for one in listed] if form.kind == "integer" else listed
        members = {member_name(value, index) for index, value in enumerate(values)}
        plain: Schema = {"type": form.kind}
        if len(members) < len(values) or not all(one.isidentifier() for one in members):
            self.lost.append(f"{owner}.{name}: its values are left out; no enumeration has them.")
            return plain
        schema = {"type": form.kind, "description": self.words.part(name), "enum": values}
        found = self.shared.find(parts, self.reader, way, (self._published(parts), name))
        names = part_names(self._published(parts), owner, name, sent=False)
        made = reference(found or self.add(names, schema))
        return {"anyOf": [made, plain]} if way == "response" or form.open else made

    def _object(
        self, form: Form, parts: Parts, way: Direction, owner: str, name: str, several: bool
    ) -> str:
        published = self._published(parts)
        shape = self.reader.shape(parts)
        key = (*(id(raw) for raw, _ in shape.parts), way, *((id(form),) if several else ()))
        if key in self._made:
            return self._made[key]
        if not several and (found := self.shared.find(parts, self.reader, way, (published, name))):
            self._made[key] = found
            return found
        if not form.fields and form.others is True and "FreeForm" in self.shared.schemas:
            return "FreeForm"
        schema: Schema = {"type": "object", "description": self.words.part(name)}
        names = part_names("" if several else published, owner, name, sent=way == "request")
        # A schema that contains itself refers to its own name, so that is chosen first.
        made = self._made[key] = self._reserve(names)
        fields, required = self.fields(form, way, made)
        schema |= {"required": required} if required else {}
        schema |= {"properties": fields} if fields else {}
        schema |= self._others(form, way, made, name)
        schema |= self._rules(form, owner, name)
        self.schemas[made] = self.sourced(schema)
        if same := self._same_before(made):
            del self.schemas[made]
            self._made[key] = made = same
        return made

    def _others(self, form: Form, way: Direction, owner: str, name: str) -> Schema:
        if isinstance(form.others, bool):
            plain = not form.fields and form.others
            return {"additionalProperties": form.others} if plain or not form.others else {}
        return {"additionalProperties": self._bare(form.others, way, owner, name) or True}

    def _reserve(self, names: Iterator[str]) -> str:
        taken = {key.lower() for key in (*self.shared.schemas, *self.schemas)}
        name = next(name for name in names if name.lower() not in taken)
        self.schemas[name] = {}
        return name

    def _same_before(self, made: str) -> str:
        """Return a schema that says the same as a new one: in one family, one is enough."""
        if any(f'schemas/{made}"' in json.dumps(one) for one in self.schemas.values()):
            return ""
        text = _plain(self.schemas[made]).replace(f'schemas/{made}"', "")
        for name in sorted(self.own):
            if _plain(self.shared.schemas[name]).replace(f'schemas/{name}"', "") == text:
                return name
        return ""

    def _published(self, parts: Parts) -> str:
        """Return the name of a published schema, if it has one."""
        _, at = self.reader.follow(*parts[0])
        return str(at[2]) if at[:2] == ("components", "schemas") and len(at) == 3 else ""


def _joined(drafts: list[Schema], text: str, *, null: bool) -> Schema:
    """Return one schema for several alternatives, with its description where the house has it."""
    said = {"description": text} if text else {}
    if not drafts:
        return said
    either = drafts[0].get("anyOf", [drafts[0]]) if len(drafts) == 1 else drafts
    first = either[0]
    if len(either) == 1 and null and "type" in first and first["type"] != "array":
        either, null = [{**first, "type": [first["type"], "null"]}], False
    if len(either) > 1 or null:
        return {**said, "anyOf": [*either, *([_NULL] if null else [])]}
    if "$ref" in (only := either[0]):
        return only
    head = {key: only[key] for key in ("type", "format") if key in only}
    return {**head, **said, **only}


_PYTHON = {"string": str, "integer": int, "number": int | float, "boolean": bool}


def _fits(value: Any, form: Form) -> bool:
    """Return True if a default can be a value of a form; of dates, none is kept."""
    if form.kind not in _PYTHON or isinstance(value, bool) is not (form.kind == "boolean"):
        return False
    listed = form.values is None or form.open or str(value) in form.values
    return isinstance(value, _PYTHON[form.kind]) and listed and form.format not in _MOMENTS


def _is_rule(key: str, value: Any) -> bool:
    if key == "pattern":
        try:
            re.compile(value)
        except (re.error, TypeError):
            return False
        return True
    if key == "uniqueItems":
        return value is True
    least = 1 if key.startswith("max") and key != "maximum" else None
    whole = key in ("minLength", "maxLength", "minItems", "maxItems")
    is_number = isinstance(value, int | (int if whole else float)) and not isinstance(value, bool)
    return is_number and (least is None or value >= least)


def _plain(schema: Mapping[str, Any]) -> str:
    """Return what a schema says, without words and notes."""
    return json.dumps(_stripped(schema), sort_keys=True)


def _stripped(value: Any) -> Any:
    if is_list(value):
        return [_stripped(item) for item in value]
    if not is_map(value):
        return value
    kept: Schema = {}
    for key, part in value.items():
        if key == "properties" and is_map(part):  # a field may be called `description`
            kept[key] = {name: _stripped(inner) for name, inner in part.items()}
        elif key == "required" and is_list(part):
            kept[key] = sorted(part)
        elif key not in ("x-source", "description"):
            kept[key] = _stripped(part)
    return kept
