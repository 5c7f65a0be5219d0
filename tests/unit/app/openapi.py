"""Holding answers against openapi.json, by the part of JSON Schema that it uses."""

import re
from typing import Any

from app.api.document import description, resolve

KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip


def check(value: Any, schema: dict[str, Any], where: str = "answer") -> None:
    """Hold a value against the part of JSON Schema that openapi.json uses."""
    schema = resolve(schema)
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    truth = isinstance(value, bool)
    assert any(isinstance(value, KINDS[kind]) and (kind == "boolean") == truth for kind in kinds), (
        f"{where}: {value!r} is no {kinds}"
    )
    if isinstance(value, dict):
        further = schema.get("additionalProperties")
        assert set(schema.get("required", [])) <= set(value), where
        assert isinstance(further, dict) or set(value) <= set(schema["properties"]), where
        for name, inner in value.items():
            check(inner, schema.get("properties", {}).get(name, further), f"{where}.{name}")
    elif isinstance(value, list):
        assert len(value) <= schema.get("maxItems", len(value)), where
        for inner in value:
            check(inner, schema["items"], f"{where}[]")
    elif isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value), where
    elif value is not None and not isinstance(value, bool):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), where


def described(path: str, code: int = 200, method: str = "get") -> dict[str, Any]:
    """The schema openapi.json has for an answer of a path."""
    response = resolve(description()["paths"][path][method]["responses"][str(code)])
    (content,) = response["content"].values()
    found: dict[str, Any] = content["schema"]
    return found
