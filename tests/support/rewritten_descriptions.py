"""Ways to write a description differently that change nothing of what it says.

Each takes a document, which it may change, and returns it or another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generation import fragment_rules

Json = dict[str, Any]


def renamed(document: Json, suffix: str) -> Json:
    """The same with other names of all components."""
    sections = document["components"]
    for section in ("schemas", "responses", "parameters"):
        entries = sections.get(section, {})
        sections[section] = {f"{name}{suffix}": entry for name, entry in entries.items()}
    for _, node in fragment_rules.walk(document):
        if "$ref" in node:
            node["$ref"] += suffix
    return document


def inlined(document: Json) -> Json:
    """The same without references."""

    def write_out(value: Any) -> Any:
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            section, name = value["$ref"].split("/")[2:]
            beside = {key: part for key, part in value.items() if key != "$ref"}
            value = {**document["components"][section][name], **beside}
        if isinstance(value, list):
            return [write_out(item) for item in value]
        if isinstance(value, dict):
            return {key: write_out(part) for key, part in value.items()}
        return value

    return {**document, "paths": write_out(document["paths"]), "components": {}}


def extracted(document: Json) -> Json:
    """The same with every schema of a property, an item or a parameter behind a reference."""
    found: Json = {}

    def take_out(schema: Any) -> Any:
        if not isinstance(schema, dict) or "$ref" in schema:
            return schema
        name = f"Taken{len(found)}"
        found[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    for _, node in [*fragment_rules.walk(document)]:
        if isinstance(node.get("properties"), dict):
            node["properties"] = {k: take_out(v) for k, v in node["properties"].items()}
        if isinstance(node.get("items"), dict):
            node["items"] = take_out(node["items"])
        if "in" in node and "schema" in node:
            node["schema"] = take_out(node["schema"])
    document["components"].setdefault("schemas", {}).update(found)
    return document


def rewrapped(document: Json) -> Json:
    """The same with texts broken at other places."""
    for _, node in fragment_rules.walk(document):
        for key in ("description", "summary"):
            if isinstance(node.get(key), str):
                node[key] = "\n  ".join(node[key].split(" ")) + "\n"
    return document


def respelled(document: Json) -> Json:
    """The same with the other spelling of what may be null."""
    for _, node in fragment_rules.walk(document):
        kinds = node.get("type")
        if isinstance(kinds, list) and "null" in kinds and len(kinds) == 2:
            node["type"] = next(kind for kind in kinds if kind != "null")
            node["nullable"] = True
        elif node.get("nullable") is True and isinstance(kinds, str):
            del node["nullable"]
            node["type"] = [kinds, "null"]
        elif isinstance(node.get("anyOf"), list):
            rest = [part for part in node["anyOf"] if part != {"type": "null"}]
            if len(rest) == 1 < len(node["anyOf"]):
                del node["anyOf"]
                node |= {"allOf": rest, "nullable": True}
    return document


def wrapped(document: Json) -> Json:
    """The same with every reference to a schema inside an `allOf` of its own."""
    for _, node in [*fragment_rules.walk(document)]:
        for key in ("items", "schema", "additionalProperties"):
            if isinstance(node.get(key), dict) and "$ref" in node[key]:
                node[key] = {"allOf": [node[key]]}
    return document


def quirky(document: Json) -> Json:
    """The same as HubSpot writes it: null for examples, JSON under `*/*`, tools' own notes."""
    for pointer, node in fragment_rules.walk(document):
        if "type" in node and "in" not in node and pointer[:1] != ("components", "securitySchemes"):
            node.setdefault("example", None)
        content = node.get("content")
        if isinstance(content, dict) and "application/json" in content:
            node["content"] = {"*/*": content["application/json"]}
    document["x-made-by"] = {"tool": 1}
    return document


SAME: dict[str, Callable[[Json], Json]] = {
    "unchanged": lambda document: document,
    "renamed": lambda document: renamed(document, "V2"),
    "inlined": inlined,
    "extracted": extracted,
    "re-wrapped": rewrapped,
    "respelled": respelled,
    "wrapped": wrapped,
    "quirky": quirky,
    "all at once": lambda document: renamed(
        quirky(respelled(wrapped(extracted(rewrapped(document))))), "X"
    ),
}
