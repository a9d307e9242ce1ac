"""A valid input of every operation, made from the schema that the contract has of it."""

from __future__ import annotations

from typing import Any

from hubspot_batch_client.contract import OPERATIONS


def example_input(operation: str) -> Any:
    """Return an input with the required fields of an operation."""
    return _example(OPERATIONS[operation].input_schema)


def _example(schema: dict[str, Any]) -> Any:
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return _example(schema[either][0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: _example(fields[name]) for name in schema.get("required", ())}
        case "array":
            return []
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return "a"
