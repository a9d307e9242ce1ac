"""The names that the generator makes, and the pairs that Python takes for one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from generation import keywords, python_names
from generation.yaml_source import Document

ROOT = Path(__file__).parents[2]

NAMES = [
    *("startDate", "properties", "propertiesWithHistory", "idProperty", "hs_name", "filter"),
    *("type", "from", "id", "Since", "a-b", "a.b", "x2Y", "HTTPCode", "datetime", "self", "in-it"),
    *(
        "_id",
        "2nd",
        "TIER\u00b2",
        "\uff34\uff29\uff25\uff32",
        "\ufb01eld",
        "é_Ü",
        "",
        "$",
        "a\\b",
        "ab CD",
        "É1Ab",
        "x\u00b2y",
    ),
]
VALUES = [*NAMES, "A-B", "a_b", "1st", "VALUE_1", "\u00aa", "straße"]
SCRIPT = """
import json, sys
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser.properties import enum_property
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.strings import ClassName, PythonIdentifier

class Info:
    module_name = name = "x"

names, values = json.load(sys.stdin)
made = enum_property.EnumProperty.values_from_list
members = []
for index, value in enumerate(values):
    around = [10**6 + n for n in range(index)]
    members.append([*made([*around, value], Info, [])][-1])
print(json.dumps([
    [PythonIdentifier(name, "field_") for name in names],
    [ClassName(name, "field_") for name in names if name[:1].isalpha()],
    members,
]))
"""


def test_names_are_those_of_the_generator() -> None:
    """Parameters, classes and values have the names that the generator gives them."""
    default = ROOT / ".venv" / "generator" / "bin" / "openapi-python-client"
    named = Path(os.environ.get("HUBSPOT_BATCH_GENERATOR", default))
    told = subprocess.run(
        [named.absolute().parent / "python", "-X", "utf8", "-c", SCRIPT],
        input=json.dumps([NAMES, VALUES]),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    identifiers, classes, members = json.loads(told.stdout)
    assert identifiers == [python_names.python_name(name) for name in NAMES]
    ours = [python_names.class_name(name) for name in NAMES if name[:1].isalpha()]
    assert [name.removesuffix("_") for name in classes] == ours
    assert members == [python_names.member_name(value, n) for n, value in enumerate(VALUES)]


def _document(schema: dict[str, Any], name: str = "Thing") -> Document:
    data = {"components": {"schemas": {name: schema}}}
    places = {at: line for line, (at, _) in enumerate(keywords.walk_schemas(data), start=2)}
    return Document("things.yaml", data, {(): 1, **places})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            ["TIER\u00b2", "TIER\u00b3"],
            "'TIER\u00b2' and 'TIER\u00b3' of `enum` are one name in Python (TIER)",
        ),
        (
            ["TIER2", "TIER\u00b2"],
            "'TIER2' and 'TIER\u00b2' of `enum` are one name in Python (TIER2)",
        ),
        (["TIER\u00b2", "TIER2"], "of `enum` are one name in Python (TIER2)"),
        (["TIER\u00b2", "TIER"], "of `enum` are one name in Python (TIER)"),
        (["A\u2460", "A1"], "of `enum` are one name in Python (A1)"),
        (["TIER", "\uff34\uff29\uff25\uff32"], "one name in Python (TIER)"),
        (["FILE", "\ufb01le"], "one name in Python (FILE)"),
        (["A-B", "A_B"], "one name in Python (A_B)"),
        (["a", "A"], "one name in Python (A)"),
        (["A", "A"], "'A' and 'A' of `enum` are one name"),
        (["VALUE_1", "1st"], "one name in Python (VALUE_1)"),
        (["A", 1], "not all texts, or all whole numbers"),
        ([True], "not all texts, or all whole numbers"),
        ([1.5], "not all texts, or all whole numbers"),
        ([], "`enum` names no value"),
        ([None], "`enum` names no value"),
        (["A", None, "B"], ""),
        ([1, -1, 2], ""),
        (["1st", "2nd", "ß"], ""),
    ],
)
def test_values_that_are_one_in_python(values: list[Any], said: str) -> None:
    """Values that would be one member are refused, at the second of them."""
    found = [*python_names.check_python_names([_document({"enum": values})])]
    assert [said in one.text for one in found] == [True] * bool(said)
    assert all(one.line == 2 for one in found)


@pytest.mark.parametrize(
    ("names", "collide"),
    [
        (["field", "\ufb01eld"], True),
        (["x\u00b2", "x\u00b3"], True),
        (["a\u00b2b", "ab"], True),
        (["x2", "x\u00b2"], True),
        (["x\u2082", "x2"], True),
        (["$", "%"], True),
        (["in", "in_"], True),
        (["fooBar", "foo_bar"], False),  # the generator names them anew
        (["a", "b"], False),
    ],
)
def test_properties_that_are_one_in_python(names: list[str], collide: bool) -> None:
    """Properties that would be one attribute are refused, unless the generator renames them."""
    schema = {"properties": {name: {"type": "string"} for name in names}}
    found = [*python_names.check_python_names([_document(schema)])]
    assert [f"{names[1]} are one name in Python" in one.text for one in found] == [True] * collide


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CallInput", "Call_Input"),
        ("THING", "\uff34\uff28\uff29\uff2e\uff27"),
        ("File", "\ufb01le"),
        ("Tier2", "Tier\u00b2"),
        ("Tier\u00b2", "Tier2"),
    ],
)
def test_schemas_that_are_one_in_python(one: str, other: str) -> None:
    """Schemas of two fragments that would be one module are refused, with both places."""
    found = [*python_names.check_python_names([_document({}, one), _document({}, other)])]
    said = f"the schemas {other} and {one} (things.yaml:2) are one name in Python; rename one."
    assert [str(problem) for problem in found] == [f"things.yaml:2: {said}"]
