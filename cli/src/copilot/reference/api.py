"""docs/reference/api.md, from the OpenAPI document that the API serves itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from copilot.reference.markdown import code, table

METHODS: Final = ("get", "post", "put", "delete", "head")

HEAD: Final = """# HTTP API

Answers come from the read models and the log; no threshold is computed here. Errors are
problem+json (RFC 9457) with a stable `code`. `GET /openapi.json` serves the machine-readable
form of this page.
"""


def render() -> str:
    """The page."""
    from copilot_api.app import described

    document = described().openapi()
    routes = [_section(*route) for route in _routes(document)]
    shapes = [
        _shape(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    ]
    return "\n".join([HEAD, *routes, "## Shapes\n", *shapes])


def _routes(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def _section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    told = operation.get("description") or operation.get("summary", "")
    lines = [f"## {method.upper()} {path}", "", told, ""]
    if parameters:
        columns = ("parameter", "in", "type", "meaning")
        lines.append(table(columns, (_parameter(p) for p in parameters)))
    answers = ((code(status), _answer(a)) for status, a in operation["responses"].items())
    lines.append(table(("status", "answer"), answers))
    return "\n".join(lines)


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    told = f"### {name}\n\n{schema.get('description', '')}\n"
    if "enum" in schema:
        return f"{told}\nOne of {', '.join(code(value) for value in schema['enum'])}.\n"
    fields = schema.get("properties", {}).items()
    rows = [(code(field), _type(of), of.get("description", "")) for field, of in fields]
    return told + "\n" + table(("field", "type", "meaning"), rows) if rows else told


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    schema = parameter.get("schema", {})
    needed = " (needed)" if parameter.get("required") else ""
    return (
        code(parameter["name"]),
        parameter["in"] + needed,
        _type(schema),
        parameter.get("description", ""),
    )


def _answer(answer: Mapping[str, Any]) -> str:
    shapes = [_type(content.get("schema", {})) for content in answer.get("content", {}).values()]
    shown = ", ".join(code(shape) for shape in shapes if shape)
    return " ".join(part for part in (answer.get("description", ""), shown) if part)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(s) for s in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type", "")
