"""The API written down: its OpenAPI document as text, and as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from copilot_api.app import described
from copilot_api.problems import KINDS

HEAD: Final = """\
# HTTP API

{description}
Without a token (`COPILOT_API_TOKEN`) the API only listens on loopback addresses. With one, every
path but `/healthz` and `/readyz` needs the header `Authorization: Bearer <token>`. `GET
/openapi.json` serves the machine-readable form of this page.

## Causes and words

Rules decide; causes and words explain what was decided, and change nothing. On call, one address is
enough: `/v1/clusters/{{cluster}}/status` has the status, the likeliest causes with their evidence,
the newest words (`headline`, `explanation.text`) and the safe next step (`explanation.action`).
`/issues` has the same as a table, first things first. For a transition, the words of the rules are
there about a second after it; a model's, where one is configured, take their place when the log
proves them, and every wording stays readable under `/explanations/{{event}}`, sentence by sentence,
with the ids of the events that prove it (`/v1/events` and `/timeline` show them). A sentence with
`hypothesis: true` is not proven. The next step is never a model's. To be told when better words
come, follow `/v1/clusters/{{cluster}}/stream?type=TransitionExplained`.

The day after, `/incidents/{{began}}` is the whole story of an incident on one page.

## When something is away

*The database.* `/v1/clusters` and `/v1/clusters/{{cluster}}/status` answer the last known state
with `stale: true`, `read_at` and `age_s`; a process that has not read one since its start answers
503. Everything else answers 503 `store_unavailable`. Event streams say it once, in a message
`problem`, and go on where they were when the database is back.

*The worker or the projector.* Answers come, and `slot_age_s` grows; beyond two intervals of the
cluster `current` is false and `evidence` reads `blind`, whatever was recorded last. Event streams
are silent, with heartbeats.

"""


def openapi_text() -> str:
    """The OpenAPI document as it is kept in the golden file."""
    return orjson.dumps(described().openapi(), option=orjson.OPT_INDENT_2).decode() + "\n"


def markdown() -> str:
    """The page `docs/reference/api.md`."""
    document = described().openapi()
    parts = [HEAD.format(description=document["info"]["description"])]
    for path, operations in document["paths"].items():
        parts += [_operation(path, method, told) for method, told in operations.items()]
    parts.append("## Rows\n")
    schemas = document["components"]["schemas"]
    told = [name for name in sorted(schemas) if schemas[name].keys() & {"properties", "enum"}]
    parts += [_schema(name, schemas[name]) for name in told]
    parts.append(_problems())
    return "\n".join(parts)


def _operation(path: str, method: str, told: dict[str, Any]) -> str:
    lines = [f"## {method.upper()} {path}", "", told.get("description", told["summary"]), ""]
    parameters = told.get("parameters", [])
    if parameters:
        rows = (
            (f"`{p['name']}`", p["in"], _limits(p), p.get("description", "")) for p in parameters
        )
        lines += [*_table(("parameter", "in", "takes", "meaning"), rows), ""]
    lines += [f"Answers {_answer(told['responses']['200'])}.", ""]
    return "\n".join(lines)


def _answer(response: dict[str, Any]) -> str:
    for media, content in response.get("content", {}).items():
        shape = _type(content.get("schema", {}))
        return f"{shape} as `{media}`" if shape else f"`{media}`"
    return response["description"]


def _limits(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    needed = "" if not parameter.get("required") else "; needed"
    default = (
        f"; default `{schema['default']}`" if schema.get("default") not in (None, "", []) else ""
    )
    told = _type(schema).removesuffix(" or null")  # a parameter is left out, never null
    return f"{told}{_bounds(schema)}{default}{needed}"


_BOUNDS: Final = (
    ("minimum", "at least {}"), ("maximum", "at most {}"), ("exclusiveMaximum", "below {}"),
    ("minItems", "at least {} times"), ("maxItems", "at most {} times"),
    ("maxLength", "at most {} characters"), ("pattern", "matching `{}`"),
)  # fmt: skip


def _bounds(schema: dict[str, Any]) -> str:
    for inner in schema.get("anyOf", ()):
        schema = {**schema, **inner}
    return "".join(
        ", " + words.format(str(schema[key]).replace("|", "\\|"))
        for key, words in _BOUNDS
        if key in schema
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return " or ".join(dict.fromkeys(_type(part) for part in schema[either]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type", "")


def _schema(name: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "\n".join([f"### {name}", "", schema.get("description", ""), "", _type(schema), ""])
    rows = (
        (f"`{field}`", _type(told), told.get("description", ""))
        for field, told in schema["properties"].items()
    )
    told = schema.get("description", "")
    return "\n".join(
        [f"### {name}", "", told, "", *_table(("column", "type", "meaning"), rows), ""]
    )


def _problems() -> str:
    rows = ((f"`{k.code}`", str(k.status), k.title, k.todo) for k in KINDS.values())
    told = "Every error names its kind in `type`, which is a path of this API: `/problems/<code>`."
    header = ("code", "status", "title", "what to do")
    return "\n".join(["## Problems", "", told, "", *_table(header, rows), ""])


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(' '.join(cell.split()) for cell in row)} |"
