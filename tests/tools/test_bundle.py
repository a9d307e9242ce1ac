"""The bundler: what it joins, in which order, and every reason for which it writes nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import join_fragments
import pytest
import yaml
from attrs import evolve
from generation import bundle, fragment_rules, keywords, yaml_source
from generation.yaml_source import Pointer
from hypothesis import given
from hypothesis import strategies as st

REAL = Path(__file__).parents[2] / "openapi"

ROOT = """\
openapi: 3.1.0
info:
  title: Things
  version: '1'
tags:
  - name: things
components:
  securitySchemes:
    bearer:
      type: http
      scheme: bearer
"""

THINGS = """\
paths:
  /things:
    post:
      operationId: create_things
      tags: [things]
      x-source: things
      security:
        - bearer: [things.write]
      parameters:
        - $ref: '#/components/parameters/Color'
      requestBody:
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/Thing'
      responses:
        2XX:
          description: It went well.
        201:
          description: It is there.
        default:
          $ref: '#/components/responses/Failure'
components:
  parameters:
    Color:
      name: color
      in: query
      schema:
        type: string
  schemas:
    Thing:
      type: object
      x-source: [things, parts]
      required: [name]
      properties:
        name:
          type: string
        parts:
          type: array
          items:
            $ref: '#/components/schemas/Part'
"""

PARTS = """\
components:
  responses:
    Failure:
      description: It did not go well.
  schemas:
    Part:
      type: object
      x-source: parts
      properties:
        x-source:
          type: string
          description: 'A field of this name, and an example: yes.'
          example: {$ref: nowhere, x-source: kept}
        default:
          type: [string, 'null']
          default: 2026-01-01
"""


class Tree:
    """A small project's openapi folder."""

    def __init__(self, home: Path) -> None:
        self.home = home / "openapi"
        (self.home / "fragments").mkdir(parents=True)
        (self.home / "pages").mkdir()
        for page in ("things", "parts"):
            (self.home / "pages" / f"{page}.yaml").write_text("method: POST\n")
        self.write("root", ROOT)
        self.write("things", THINGS)
        self.write("parts", PARTS)

    def path(self, name: str) -> Path:
        return self.home / ("root.yaml" if name == "root" else f"fragments/{name}.yaml")

    def write(self, name: str, text: str) -> None:
        self.path(name).write_bytes(text.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_bytes().decode()
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def problems(self) -> list[str]:
        try:
            bundle.build(self.home)
        except yaml_source.SourceError as error:
            return [str(problem) for problem in error.problems]
        return []


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.chdir(tmp_path)
    return Tree(tmp_path)


def test_the_real_fragments_give_every_operation_that_has_a_page() -> None:
    """The project's own fragments are joined and valid."""
    document = bundle.build(REAL).document
    names = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    }
    assert names == {path.stem for path in (REAL / "pages").glob("*.yaml")}
    assert {"create_calls", "create_campaigns", "read_campaigns"} <= names


def test_the_parts_are_joined_and_the_notes_dropped(tree: Tree) -> None:
    """Paths, sorted components and string keys arrive; notes about the fragments do not."""
    document = bundle.build(tree.home).document
    assert [*document] == ["openapi", "info", "tags", "paths", "components"]
    assert [*document["components"]] == ["securitySchemes", "parameters", "responses", "schemas"]
    assert [*document["components"]["schemas"]] == ["Part", "Thing"]
    operation = document["paths"]["/things"]["post"]
    assert [*operation["responses"]] == ["2XX", "201", "default"]
    assert "x-source" not in operation
    part = document["components"]["schemas"]["Part"]
    assert [*part] == ["type", "properties"]
    assert part["properties"]["x-source"]["example"] == {"$ref": "nowhere", "x-source": "kept"}
    assert part["properties"]["default"]["default"] == "2026-01-01"


def test_the_text_is_the_document_for_readers_of_both_yaml_versions(tree: Tree) -> None:
    """The text reads back as what was joined, under YAML 1.1 and 1.2 rules."""
    made = bundle.build(tree.home)
    assert made.text.startswith("# ")
    assert "make regenerate" in made.text.splitlines()[1]
    tree.write("copy", made.text)
    document, problems = yaml_source.read(tree.path("copy"))
    assert problems == []
    assert document is not None
    assert document.data == made.document == yaml.safe_load(made.text)


def test_the_order_of_the_file_system_does_not_matter(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that lists its files the other way round gives the same text."""
    before = bundle.build(tree.home).text
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda path, pattern: [*glob(path, pattern)][::-1])
    assert bundle.build(tree.home).text == before


def _misspelt() -> Iterator[tuple[str, Pointer, str]]:
    """Yield every keyword that the real fragments use, at one place of each kind."""
    seen: set[tuple[str, str]] = set()
    for path in [REAL / "root.yaml", *sorted((REAL / "fragments").glob("*.yaml"))]:
        document, _ = yaml_source.read(path)
        assert document is not None
        for at, keys in _with_keywords(document.data, (), "description"):
            for key in keys:
                if at and not key.startswith("x-") and (key, str(at[-1])) not in seen:
                    seen.add((key, str(at[-1])))
                    yield path.name, at, key


def _with_keywords(value: Any, at: Pointer, kind: str) -> Iterator[tuple[Pointer, list[str]]]:
    inner = kind.strip("[]{}")
    if kind[0] in "[{" and value:
        parts = enumerate(value) if kind[0] == "[" else value.items()
        for name, item in parts:
            yield from _with_keywords(item, (*at, name), inner)
    elif isinstance(value, dict):
        known = keywords.KEYWORDS[kind]
        if kind != "components":  # another rule is about its names
            yield at, [key for key in value if key in known or key == "$ref"]
        for key, item in value.items():
            if known.get(key):
                yield from _with_keywords(item, (*at, key), known[key])


MISSPELT = [*_misspelt()]


@pytest.mark.parametrize(
    ("file", "at", "key"), MISSPELT, ids=[f"{at[-1]}.{key}" for _, at, key in MISSPELT]
)
def test_no_keyword_of_ours_may_be_misspelt(file: str, at: Pointer, key: str) -> None:
    """Wherever the fragments have a keyword, two letters changed over are told with the line."""
    path = REAL / file if file == "root.yaml" else REAL / "fragments" / file
    document, _ = yaml_source.read(path)
    assert document is not None
    node = document.at(at)
    slip = key[:-2] + key[-1] + key[-2] if key[-1] != key[-2] else key + key[-1]
    node[slip] = node.pop(key)
    document = evolve(document, lines={**document.lines, (*at, slip): 4321})
    found = [str(one) for one in keywords.check_keywords(document)]
    told = [line for line in found if f":4321: `{slip}` is no keyword of " in line]
    assert len(told) == 1, found
    if len(key) > 3:
        assert told[0].endswith(f"; did you mean {key}."), found


def test_identical_definitions_in_two_fragments_are_one(tree: Tree) -> None:
    """The same path, schema and response may stand twice, notes aside."""
    before = bundle.build(tree.home).text
    tree.write("zebra", THINGS.replace("There are many.", "There are several."))
    tree.write("yak", PARTS)
    assert bundle.build(tree.home).text == before


def test_methods_of_one_path_may_stand_in_two_fragments(tree: Tree) -> None:
    """Two fragments fill one path together."""
    other = THINGS.partition("components:")[0]
    other = other.replace("post:", "put:").replace("create_things", "replace_things")
    tree.write("zebra", other)
    item = bundle.build(tree.home).document["paths"]["/things"]
    assert [*item] == ["post", "put"]


def test_a_description_and_its_day_are_a_source(tree: Tree) -> None:
    """As `make fragment` names them; the bundle has neither."""
    before = bundle.build(tree.home).text
    named = "x-source: [things, 'my file.json of 2026-05-28']"
    tree.edit("things", "x-source: [things, parts]", named)
    assert bundle.build(tree.home).text == before


# Each case: an edit of a good tree, and what is said. The comment HERE marks the line it names.
CASES: dict[str, tuple[str, str, str, str]] = {
    "a keyword of operations misspelt elsewhere": (
        "things",
        "          description: It went well.",
        "          description: It went well.\n          x-kinds: read # HERE",
        "`x-kinds` is no keyword; did you mean x-kind.",
    ),
    "a keyword of operations cut short": (
        "things",
        "      x-source: things",
        "      x-source: things\n      x-all-or-none: true # HERE",
        "`x-all-or-none` is no keyword; did you mean x-all-or-nothing.",
    ),
    "another address for one operation": (
        "things",
        "      x-source: things",
        "      x-source: things\n      servers: [{url: 'https://example.com'}] # HERE",
        "`servers` is no keyword of an operation, but of: description; move it there.",
    ),
    "unknown page": (
        "things",
        "x-source: things",
        "x-source: thigns # HERE",
        "x-source names no page: pages/thigns.yaml does not exist; did you mean things.",
    ),
    "unknown page in a list": (
        "things",
        "x-source: [things, parts]",
        "x-source:\n        - things\n        - nothing.like.it # HERE",
        "pages/nothing.like.it.yaml does not exist; add it.",
    ),
    "description without its day": (
        "things",
        "x-source: things",
        "x-source: things.json # HERE",
        "pages/things.json.yaml does not exist; did you mean things.",
    ),
    "page outside its folder": (
        "things",
        "x-source: things",
        "x-source: ../fragments/things # HERE",
        "x-source names no page",
    ),
    "source of another type": (
        "things",
        "x-source: things",
        "x-source: {page: things} # HERE",
        "x-source is not a page's name or a list of them",
    ),
    "empty list of sources": (
        "things",
        "x-source: things",
        "x-source: [] # HERE",
        "x-source is not a page's name or a list of them",
    ),
    "operation without a source": (
        "things",
        "    post:\n      operationId: create_things\n      tags: [things]\n      x-source: things",
        "    post: # HERE\n      operationId: create_things\n      tags: [things]",
        "the operation POST /things has no x-source; name its page.",
    ),
    "schema without a source": (
        "things",
        "    Thing:\n      type: object\n      x-source: [things, parts]",
        "    Thing: # HERE\n      type: object",
        "the schema Thing has no x-source; name its page.",
    ),
    "operation without an id": (
        "things",
        "    post:\n      operationId: create_things",
        "    post: # HERE",
        "the operation POST /things has no operationId",
    ),
    "deviation in a fragment": (
        "things",
        "      required: [name]",
        "      x-deviation: {published: One part.} # HERE\n      required: [name]",
        "a deviation is noted in deviations.yaml, which `make drift` reads; move it there.",
    ),
    "note of another name": (
        "things",
        "      required: [name]",
        "      x-deviation-note: fine\n      required: [name]",
        "",
    ),
    "reference to nothing": (
        "things",
        "$ref: '#/components/schemas/Part'",
        "anyOf: [{$ref: '#/components/schemas/Part'}, {$ref: '#/components/schemas/Prat'}] # HERE",
        "the reference '#/components/schemas/Prat' leads nowhere; did you mean Part.",
    ),
    "reference to nothing like it": (
        "things",
        "$ref: '#/components/parameters/Color'",
        "$ref: '#/components/parameters/Color'\n"
        "        - $ref: '#/components/parameters/Unheard' # HERE",
        "leads nowhere; define it.",
    ),
    "reference of another form": (
        "things",
        "          type: string\n        parts:",
        "          $ref: 'parts.yaml#/Part' # HERE\n        parts:",
        "has another form than '#/components/schemas/NAME'",
    ),
    "reference that is no text": (
        "things",
        "          type: string\n        parts:",
        "          $ref: [1] # HERE\n        parts:",
        "has another form than '#/components/schemas/NAME'",
    ),
    "reference to another kind": (
        "parts",
        "components:",
        "paths:\n  /parts:\n    get:\n      operationId: get_parts\n      x-source: parts\n"
        "      responses:\n        200:\n          $ref: '#/components/schemas/Part' # HERE\n"
        "components:",
        "the reference '#/components/schemas/Part' stands where one of responses belongs",
    ),
    "reference to another kind of parameter": (
        "parts",
        "components:",
        "paths:\n  /parts:\n    parameters:\n"
        "      - $ref: '#/components/schemas/Part' # HERE\ncomponents:",
        "the reference '#/components/schemas/Part' stands where one of parameters belongs",
    ),
    "unused schema": (
        "parts",
        "    Part:",
        "    Lonely: # HERE\n      x-source: parts\n      type: string\n    Part:",
        "no operation uses the schema Lonely; refer to it or delete it.",
    ),
    "schema that only itself uses": (
        "parts",
        "    Part:",
        "    Lonely: # HERE\n      x-source: parts\n      items:\n"
        "        $ref: '#/components/schemas/Lonely'\n    Part:",
        "no operation uses the schema Lonely",
    ),
    "unused response": (
        "parts",
        "    Failure:",
        "    Success: # HERE\n      description: Fine.\n    Failure:",
        "no operation uses the response Success",
    ),
    "unused parameter": (
        "things",
        "    Color:",
        "    Size: # HERE\n      name: size\n      in: query\n      schema: {}\n    Color:",
        "no operation uses the parameter Size",
    ),
    "properties as a list": (
        "things",
        "      required: [name]",
        "      not:\n        properties: [name] # HERE",
        "`properties` is not a mapping; write names below it.",
    ),
    "alternatives without a list": (
        "things",
        "      required: [name]",
        "      anyOf: # HERE",
        "`anyOf` is not a list; write its schemas with a dash each.",
    ),
    "required and not declared": (
        "things",
        "required: [name]",
        "required: [nmae] # HERE",
        "`nmae` is required and is not among the properties; did you mean name.",
    ),
    "unknown security scheme": (
        "things",
        "- bearer: [things.write]",
        "- bearor: [things.write] # HERE",
        "the security scheme 'bearor' does not exist; did you mean bearer.",
    ),
    "key twice": (
        "things",
        "      operationId: create_things",
        "      operationId: create_things\n      operationId: create_things # HERE",
        "`operationId` stands twice, first on line 4; keep one.",
    ),
    "code of an answer twice": (
        "things",
        "        201:",
        "        '201':\n          description: First.\n        201: # HERE",
        "`201` stands twice",
    ),
    "broken indentation": (
        "things",
        "      tags: [things]",
        "     tags: [things] # HERE",
        "this is not YAML",
    ),
    "list that does not end": ("things", "tags: [things]", "tags: [things", "this is not YAML"),
    "control character": ("things", "[things]", "[thi\x07ngs] # HERE", "a control character"),
    "two documents": ("parts", "  schemas:", "---\n  schemas:", "this is not YAML"),
    "merge key": (
        "parts",
        "    Failure:\n      description: It did not go well.",
        "    Failure:\n      <<: {a: 1} # HERE\n      description: It did not go well.",
        "merge keys are not read here",
    ),
    "key that is a list": (
        "parts",
        "      description: It did not go well.",
        "      description: It did not go well.\n      [a]: b # HERE",
        "a key is not plain text",
    ),
    "value of a strange kind": (
        "parts",
        "description: It did not go well.",
        "description: !!python/name:os.system x # HERE",
        "is not JSON; quote it, or write another.",
    ),
    "set": ("parts", "[string, 'null']", "!!set {string} # HERE", "of the kind `set`"),
    "number that is none": (
        "parts",
        "default: 2026-01-01",
        "default: !!int many # HERE",
        "of the kind `int`",
    ),
    "number beyond all": (
        "parts",
        "default: 2026-01-01",
        "default: 1e999 # HERE",
        "of the kind `float`",
    ),
    "alias of what is around it": (
        "parts",
        "          type: string\n",
        "          type:\n          - &it [*it] # HERE\n",
        "this alias stands for something around itself",
    ),
    "fragment with a key of the root": (
        "parts",
        "components:",
        "info: {} # HERE\ncomponents:",
        "`info` does not belong here; this file has paths and components.",
    ),
    "root with paths": (
        "root",
        "components:",
        "paths: {} # HERE\ncomponents:",
        "`paths` does not belong here",
    ),
    "root with schemas": (
        "root",
        "components:",
        "components:\n  schemas: {} # HERE",
        "`schemas` does not belong here; `components` has securitySchemes.",
    ),
    "unknown section": (
        "parts",
        "  responses:",
        "  headers: {} # HERE\n  responses:",
        "`headers` does not belong here; `components` has parameters, responses and schemas.",
    ),
    "paths as a list": ("parts", "components:", "paths: [] # HERE\ncomponents:", "is not a map"),
    "path without methods": (
        "parts",
        "components:",
        "paths:\n  /parts: # HERE\ncomponents:",
        "`/parts` is not a mapping; fill it or delete it.",
    ),
    "operation without anything": (
        "parts",
        "components:",
        "paths:\n  /parts:\n    get: # HERE\ncomponents:",
        "`get` is not a mapping; describe it.",
    ),
    "other version of OpenAPI": (
        "root",
        "openapi: 3.1.0",
        "openapi: 3.0.3 # HERE",
        "this tool reads OpenAPI 3.1, not '3.0.3'",
    ),
    "version that is a number": (
        "root",
        "version: '1'",
        "version: 1.0 # HERE",
        "not valid OpenAPI at #/info/version: 1.0 is not of type 'string'; fix it.",
    ),
    "answer without a description": (
        "things",
        "        2XX:\n          description: It went well.",
        "        2XX: # HERE\n          x-note: nothing",
        "not valid OpenAPI at #/paths//things/post/responses/2XX: 'description' is a required",
    ),
    "unknown type deep in a schema": (
        "things",
        "        name:\n          type: string",
        "        name:\n          type: strnig # HERE",
        "at #/components/schemas/Thing/properties/name/type: 'strnig' is not one of",
    ),
    "default that does not fit": (
        "parts",
        "default: 2026-01-01",
        "default: 7 # HERE",
        "at #/components/schemas/Part/properties/default/default: 7 is not of type",
    ),
    "parameter without a schema": (
        "things",
        "    Color:\n      name: color\n      in: query\n      schema:\n        type: string",
        "    Color: # HERE\n      name: color\n      in: query",
        "not valid OpenAPI at #/components/parameters/Color: 'schema' is a required property",
    ),
    "parameter twice": (
        "things",
        "- $ref: '#/components/parameters/Color'",
        "- $ref: '#/components/parameters/Color'\n        - $ref: '#/components/parameters/Color'",
        "Duplicate parameter 'color'",
    ),
    "name that is no module's": (
        "things",
        "operationId: create_things",
        "operationId: create things! # HERE",
        "the operationId create things! becomes a module; write it in snake_case.",
    ),
    "property that hides a method": (
        "things",
        "        parts:\n          type: array",
        "        fromDict: # HERE\n          type: string\n        parts:\n          type: array",
        "a property called fromDict would hide a method of every model. Rename it.",
    ),
    "parameter that is not sent": (
        "things",
        "in: query",
        "in: header # HERE",
        "the client sends no header parameters; use the query, or leave it out.",
    ),
    "misspelt keyword of a schema": (
        "things",
        "        parts:\n          type: array\n",
        "        parts:\n          type: array\n          maxItem: 50 # HERE\n",
        "`maxItem` is no keyword of a schema; did you mean maxItems.",
    ),
    "keyword in another case": (
        "things",
        "        parts:\n          type: array\n",
        "        parts:\n          type: array\n          max_items: 50 # HERE\n",
        "did you mean maxItems.",
    ),
    "keyword of nothing": (
        "things",
        "      required: [name]",
        "      zzz: 1 # HERE\n      required: [name]",
        "`zzz` is no keyword of a schema; the nearest is ",
    ),
    "keyword of OpenAPI 3.0": (
        "things",
        "        name:\n          type: string",
        "        name:\n          nullable: true # HERE\n          type: string",
        "write the type 'null' beside the other: [string, 'null'].",
    ),
    "keyword of another object": (
        "things",
        "      requestBody:\n",
        "      requestBody:\n        maxItems: 50 # HERE\n",
        "`maxItems` is no keyword of a request body, but of: schema; move it there.",
    ),
    "keyword beside a reference": (
        "things",
        "- $ref: '#/components/parameters/Color'",
        "- $ref: '#/components/parameters/Color'\n          required: true # HERE",
        "`required` is no keyword of a reference",
    ),
    "misspelt method": (
        "things",
        "    post:\n",
        "    psot: # HERE\n",
        "`psot` is no keyword of a path; did you mean post.",
    ),
    "misspelt keyword of an operation": (
        "things",
        "      parameters:\n",
        "      paramters: # HERE\n",
        "`paramters` is no keyword of an operation; did you mean parameters.",
    ),
    "misspelt keyword of a parameter": (
        "things",
        "      in: query\n",
        "      in: query\n      requierd: true # HERE\n",
        "`requierd` is no keyword of a parameter; did you mean required.",
    ),
    "misspelt note": (
        "things",
        "      name: color\n",
        "      name: color\n      x-soruce: things # HERE\n",
        "`x-soruce` is no keyword; did you mean x-source.",
    ),
    "misspelt keyword of the root": (
        "root",
        "  version: '1'",
        "  version: '1'\n  sumary: Things. # HERE",
        "`sumary` is no keyword of an info; did you mean summary.",
    ),
    "misspelt format": (
        "things",
        "        name:\n          type: string",
        "        name:\n          type: string\n          format: date-tme # HERE",
        "`format` is 'date-tme', which is not known; did you mean date-time.",
    ),
    "limit of nothing": (
        "things",
        "        parts:\n          type: array\n",
        "        parts:\n          type: array\n          maxItems: 0 # HERE\n",
        "`maxItems` is 0; write a whole number from 1 up, or leave it out.",
    ),
    "limit that is text": (
        "things",
        "        parts:\n          type: array\n",
        "        parts:\n          type: array\n          maxItems: '50' # HERE\n",
        "`maxItems` is '50'; write a whole number from 1 up",
    ),
    "limits that exclude each other": (
        "things",
        "        parts:\n          type: array\n",
        "        parts:\n          type: array\n          minItems: 9\n"
        "          maxItems: 8 # HERE\n",
        "`minItems` is 9 and `maxItems` is 8: no value can follow both; change one.",
    ),
    "limit of another type": (
        "things",
        "        name:\n          type: string",
        "        name:\n          maxItems: 50 # HERE\n          type: string",
        "`maxItems` says nothing about the type string; it belongs to array.",
    ),
    "format of another type": (
        "things",
        "        name:\n          type: string",
        "        name:\n          format: int64 # HERE\n          type: string",
        "`format: int64` says nothing about the type string",
    ),
    "property that is no mapping": (
        "things",
        "        name:\n          type: string",
        "        name:\n          type: string\n        maxItems: 50 # HERE",
        "`maxItems` is not a mapping; describe it.",
    ),
    "misspelt media type": (
        "things",
        "application/json:",
        "application/jsn: # HERE",
        "the client reads and writes no `application/jsn`; write application/json.",
    ),
    "misspelt tag": (
        "things",
        "tags: [things]",
        "tags: [thinsg] # HERE",
        "the tag thinsg is not in root.yaml; did you mean things?",
    ),
    "required and not declared by the parts": (
        "things",
        "      required: [name]",
        "      allOf:\n        - $ref: '#/components/schemas/Part'\n"
        "      required: [name, default, prats] # HERE",
        "`prats` is required and is not among the properties; did you mean parts.",
    ),
    "values that are one in Python": (
        "things",
        "        name:\n          type: string",
        "        name:\n          type: string\n          enum:\n"
        "            - TIER\u00b2\n            - TIER\u00b3 # HERE",
        "'TIER\u00b2' and 'TIER\u00b3' of `enum` are one name in Python (TIER); keep one.",
    ),
    "properties that are one in Python": (
        "things",
        "        parts:\n          type: array",
        "        \uff4eame: # HERE\n          type: string\n        parts:\n          type: array",
        "the properties name and \uff4eame are one name in Python; rename one.",
    ),
    "slip that stops the validator": (
        "things",
        "      parameters:\n        - $ref: '#/components/parameters/Color'",
        "      parameters: # HERE\n        color:\n          $ref: '#/components/parameters/Color'",
        "`parameters` is not a list; write its parameters with a dash each.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_slip_is_told_with_its_line(tree: Tree, name: str) -> None:
    """One slip gives one sentence, at the place of the slip, and every sentence ends."""
    file, old, new, expected = CASES[name]
    tree.edit(file, old, new)
    found = tree.problems()
    if not expected:
        assert found == []
        return
    path = tree.path(file).relative_to(tree.home.parent)
    assert any(expected in line for line in found), found
    said = next(line for line in found if expected in line)
    assert said.endswith(".")
    if "HERE" in new:
        lines = tree.path(file).read_text().splitlines()
        number = next(i for i, line in enumerate(lines, 1) if "HERE" in line)
        assert said.startswith(f"{path}:{number}: "), said
        assert len(found) == 1, found


def test_a_schema_cannot_take_a_name_of_the_client(tree: Tree) -> None:
    """The class of that name would hide what endpoint functions return."""
    tree.write("things", THINGS.replace("Thing:", "Response:").replace("/Thing'", "/Response'"))
    (said,) = tree.problems()
    assert "a schema cannot be called Response" in said


RAW: dict[str, tuple[Callable[[Tree], object], str]] = {
    "empty file": (
        lambda tree: tree.write("parts", "# nothing\n"),
        "openapi/fragments/parts.yaml:1: the file is empty; fill it or delete it.",
    ),
    "empty mapping": (
        lambda tree: tree.write("parts", "\n{}\n"),
        "openapi/fragments/parts.yaml:2: the mapping is empty; fill it.",
    ),
    "list": (
        lambda tree: tree.write("parts", "- a\n"),
        "openapi/fragments/parts.yaml:1: the top level is not a mapping; write `key: value` lines.",
    ),
    "other encoding": (
        lambda tree: tree.path("parts").write_bytes(b"a: b\nc: \xe9\n"),
        "openapi/fragments/parts.yaml:2: this is not UTF-8; save the file as UTF-8.",
    ),
    "very deep": (
        lambda tree: tree.write("parts", "a: " + "[" * 900 + "]" * 900),
        "openapi/fragments/parts.yaml:1: this is nested too deeply; write it flatter.",
    ),
    "no root": (
        lambda tree: tree.path("root").unlink(),
        "openapi/root.yaml:1: cannot read this file (No such file or directory)",
    ),
    "folder in place of a fragment": (
        lambda tree: tree.path("more").mkdir(),
        "openapi/fragments/more.yaml:1: cannot read this file (Is a directory)",
    ),
    "no fragments": (
        lambda tree: [tree.path(name).unlink() for name in ("things", "parts")],
        "openapi/fragments:1: there are no fragments; add a file NAME.yaml.",
    ),
    "other ending": (
        lambda tree: tree.path("parts").rename(tree.home / "fragments" / "parts.yml"),
        "openapi/fragments/parts.yml:1: this is not a fragment; rename it to NAME.yaml",
    ),
    "no security schemes": (
        lambda tree: tree.write("root", ROOT.partition("components")[0]),
        "openapi/fragments/things.yaml:8: the security scheme 'bearer' does not exist; add it to",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_each_unusable_file_is_told(tree: Tree, name: str) -> None:
    """A file that cannot be used at all is named, without a chain of errors that follow from it."""
    spoil, expected = RAW[name]
    spoil(tree)
    found = tree.problems()
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_nesting_ends_in_a_sentence(tree: Tree) -> None:
    """Nesting is followed to a depth that no fragment has, and not further."""
    for depth, count in ((90, 0), (101, 1), (50_000, 1)):
        lists = "[" * depth + "]" * depth
        tree.write("parts", PARTS.replace("default: 2026-01-01", f"example: {lists}"))
        assert len(tree.problems()) == count


CONFLICTS = {
    "operation": (
        "paths:\n  /things:\n    post: # HERE\n      operationId: create_things\n"
        "      x-source: things\n      responses: {}\n",
        "POST /things is defined differently in openapi/fragments/things.yaml:3; keep one",
    ),
    "schema": (
        "components:\n  schemas:\n    Thing: # HERE\n      x-source: things\n      type: string\n",
        "the schema Thing is defined differently in openapi/fragments/things.yaml:31; keep one",
    ),
    "parameter": (
        "components:\n  parameters:\n    Color: # HERE\n      name: colour\n      in: query\n"
        "      schema: {}\n",
        "the parameter Color is defined differently in openapi/fragments/things.yaml:25; keep one",
    ),
    "response": (
        "components:\n  responses:\n    Failure: # HERE\n      description: Oh.\n",
        "the response Failure is defined differently in openapi/fragments/parts.yaml:3; keep one",
    ),
    "number for a word": (
        PARTS.replace("type: [string, 'null']", "maximum: 1").replace(
            "    Part:", "    Part: # HERE"
        ),
        "the schema Part is defined differently in openapi/fragments/parts.yaml:6; keep one",
    ),
    "operation id": (
        "paths:\n  /others:\n    post:\n      operationId: create_things # HERE\n"
        "      x-source: things\n      responses: {}\n",
        "the operationId create_things belongs to POST /things in openapi/fragments/things.yaml:3",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_contradictions_between_fragments_are_told(tree: Tree, name: str) -> None:
    """Two fragments that say different things are both named, with their lines."""
    text, expected = CONFLICTS[name]
    tree.write("zebra", text)
    number = next(i for i, line in enumerate(text.splitlines(), 1) if "HERE" in line)
    assert any(
        line.startswith(f"openapi/fragments/zebra.yaml:{number}: {expected}")
        for line in tree.problems()
    ), tree.problems()


def test_all_problems_are_told_at_once(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """Slips in several files come in one run, one to a line, with exit status 2."""
    tree.edit("root", "tags:", "tagz: {}\ntags:")
    tree.edit("things", "x-source: things", "x-source: no")
    tree.edit("things", "required: [name]", "required: [nmae]")
    tree.edit("things", "required: [nmae]", "x-deviation: {}\n      required: [nmae]")
    tree.edit("parts", "    Part:", "    Lonely: {type: string}\n    Part:")
    tree.edit("parts", "x-source: parts", "x-source: [parts, gone]")
    assert join_fragments.main(["--root", str(tree.home)]) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[-1] == "7 problems; nothing was written."
    assert lines[:-1] == sorted(lines[:-1], key=lambda line: line.split(":")[0])
    assert len(lines) == 8
    assert not (tree.home / "openapi.yaml").exists()


def test_one_problem_is_counted_as_one(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line agrees in number."""
    tree.path("root").unlink()
    assert join_fragments.main(["--root", str(tree.home)]) == 2
    assert capsys.readouterr().err.endswith("\n1 problem; nothing was written.\n")


def test_wrong_fragments_leave_the_old_bundle(tree: Tree) -> None:
    """With an error in a fragment the file stays byte for byte."""
    output = tree.home / "openapi.yaml"
    output.write_bytes(b"old")
    tree.edit("things", "x-source: things", "x-source: no")
    assert join_fragments.main(["--root", str(tree.home)]) == 2
    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in tree.home.iterdir()) == [
        "fragments",
        "openapi.yaml",
        "pages",
        "root.yaml",
    ]


def test_a_write_that_fails_leaves_the_old_bundle(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk costs neither the old file nor a stray one."""

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    output = tree.home / "openapi.yaml"
    output.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", full)
    assert join_fragments.main(["--root", str(tree.home)]) == 1
    assert "No space left on device; nothing was written." in capsys.readouterr().err
    assert output.read_bytes() == b"old"
    assert not [*tree.home.glob(".*")]


def test_check_compares_and_writes_nothing(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing, a stale and a current bundle are distinguished by --check."""
    output = tree.home.parent / "out.yaml"
    arguments = ["--root", str(tree.home), "--output", str(output)]
    assert join_fragments.main([*arguments, "--check"]) == 1
    assert capsys.readouterr().err == "out.yaml is missing; run `make regenerate`.\n"
    assert join_fragments.main(arguments) == 0
    assert capsys.readouterr().out == "out.yaml is written.\n"
    assert join_fragments.main([*arguments, "--check"]) == 0
    assert capsys.readouterr().out == "out.yaml is what the fragments say.\n"
    output.write_text(output.read_text() + "# more\n")
    assert join_fragments.main([*arguments, "--check"]) == 1
    assert "is not what the fragments say; run `make regenerate`." in capsys.readouterr().err


def test_the_script_runs_from_anywhere(tree: Tree) -> None:
    """As a command it needs no setting, and a slip shows no traceback."""
    script = REAL / "tools" / "join_fragments.py"
    tree.edit("things", "x-source: things", "x-source: no")
    done = subprocess.run(
        [sys.executable, script, "--root", tree.home],
        capture_output=True,
        text=True,
        cwd=tree.home.parent,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    first, last = done.stderr.splitlines()
    assert first.startswith("openapi/fragments/things.yaml:6: x-source names no page")
    assert last == "1 problem; nothing was written."


def test_a_validator_that_cannot_go_on_is_told(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the validator before its first finding becomes a sentence."""

    def crash(self: object) -> None:
        raise KeyError("name")

    monkeypatch.setattr("openapi_spec_validator.OpenAPIV31SpecValidator.iter_errors", crash)
    assert tree.problems() == [
        "openapi/root.yaml:1: openapi-spec-validator cannot read the bundle (KeyError('name'));"
        " look for a slip."
    ]


def test_paths_elsewhere_are_named_in_full(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file that is not below the current folder is named so that it can be found."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    tree.path("root").unlink()
    assert tree.problems()[0].startswith(f"{tree.path('root').as_posix()}:1: ")


TEXT = st.text(max_size=20) | st.sampled_from(
    ["1e5", "0o17", "no", "201", "2026-01-01", "~", "", "<<", "a\nb\n", " a\nb", "- a", "&a", "*a"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spot") / "file.yaml"


@given(data=st.dictionaries(TEXT, TREES, min_size=1, max_size=4))
def test_what_is_written_reads_back(spot: Path, data: dict[str, Any]) -> None:
    """Any document survives, whichever version of YAML the reader knows; no key is an alias."""
    text = yaml_source.dump(data)
    spot.write_bytes(text.encode("utf-8", "surrogatepass"))
    document, problems = yaml_source.read(spot)
    assert problems == []
    assert document is not None
    assert document.data == data
    assert repr(document.data) == repr(data)  # 1 and 1.0 and True are equal, and not the same
    assert yaml.safe_load(text) == data


@given(data=st.dictionaries(st.text("abc", min_size=1), TREES, min_size=1, max_size=4))
def test_every_node_has_the_line_of_its_key(spot: Path, data: dict[str, Any]) -> None:
    """The line of a top-level key is the line on which it is written."""
    text = yaml_source.dump(data)
    spot.write_bytes(text.encode("utf-8", "surrogatepass"))
    document, _ = yaml_source.read(spot)
    assert document is not None
    lines = text.split("\n")
    for key in data:
        assert lines[document.line((key,)) - 1].startswith(f"{key}:")
        assert document.line((key, "no such key", 7)) >= document.line((key,))


@given(data=TREES)
def test_stripping_keeps_all_that_is_not_a_note(data: object) -> None:
    """Without notes there is nothing to strip, and stripping twice is stripping once."""
    once = fragment_rules.strip(data)
    assert once == data
    noted = {"properties": {"x-source": {"x-source": "a", "default": data}}, "x-deviation": data}
    assert fragment_rules.strip(noted) == {"properties": {"x-source": {"default": data}}}
