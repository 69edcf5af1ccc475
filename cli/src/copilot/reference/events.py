"""docs/reference/events.md, from the event classes."""

from __future__ import annotations

from typing import Annotated, get_args, get_origin

from pydantic import BaseModel

from copilot.reference.markdown import code, prose, table
from copilot_core.events import (
    EVENT_TYPES,
    UPCASTERS,
    Band,
    ConfigChange,
    Event,
    Evidence,
    GateFinding,
    Status,
    TelemetryBound,
    Verdict,
)
from copilot_core.readings import CODE_OF, Missing
from copilot_core.samples import DEAD_LETTER_TOPIC, EVENTS_TOPIC, SAMPLES_TOPIC
from copilot_core.values import Apply

HEAD = f"""# Events

What enters the log and, in the same order, the topic `{EVENTS_TOPIC}` (key = cluster id). A
payload is canonical JSON: sorted keys, no spaces, so equal events have equal bytes. The n-th event
of a stream has version n and the id uuid5(stream, n). Stored bytes are never rewritten; an older
schema version is lifted by an upcaster when it is read.

| topic | key | value |
|---|---|---|
| `{SAMPLES_TOPIC}` | cluster id | one message per cluster and slot: what was seen |
| `{DEAD_LETTER_TOPIC}` | as received | what was refused, with the reason code in its headers |
| `{EVENTS_TOPIC}` | cluster id | the recorded events: at least once, in order, with a stable id |
"""


def render() -> str:
    """The page."""
    events = (_section(cls, _place(cls)) for cls in EVENT_TYPES.values())
    parts = (_section(part, "") for part in (GateFinding, Verdict, ConfigChange, TelemetryBound))
    return "\n".join([HEAD, _words(), *events, *parts])


def _section(cls: type[BaseModel], place: str) -> str:
    return f"## {cls.__name__}\n\n{prose(cls)}\n\n{place}{_fields(cls)}"


def _place(cls: type[Event]) -> str:
    versions = sorted(version for type_, version in UPCASTERS if type_ == cls.__name__)
    older = f", older versions read: {', '.join(map(str, versions))}" if versions else ""
    return f"Stream `{cls.stream_kind}/<cluster>`, schema version {cls.schema_version}{older}.\n\n"


def _words() -> str:
    words = table(
        ("word", "values"),
        (
            (word.__name__.lower(), ", ".join(code(v.value) for v in word))
            for word in (Status, Evidence, Band, Apply)
        ),
    )
    reasons = table(
        ("code", "reason for a missing reading"), ((code(CODE_OF[m]), m.value) for m in Missing)
    )
    return f"## Words\n\n{words}\n{reasons}"


def _fields(cls: type[BaseModel]) -> str:
    rows = (
        (
            code(field.alias or name),
            code(_type_name(field.annotation)),
            "yes" if field.is_required() else "",
        )
        for name, field in cls.model_fields.items()
    )
    return table(("field", "type", "always given"), rows)


def _type_name(annotation: object) -> str:
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _type_name(arguments[0])  # a limit beside a type is not part of its name
    if not arguments:
        return getattr(annotation, "__name__", str(annotation)).replace("NoneType", "null")
    inner = [_type_name(a) for a in arguments if a is not Ellipsis]
    origin = getattr(annotation, "__origin__", None)
    if origin in (tuple, list, dict):
        return f"{origin.__name__}[{', '.join(inner)}]"
    return " or ".join(inner)
