"""Whether a value changes anything: is it the setting's default on this server?

Theory of operation. Defaults come as JSON, durations in Go's text. A value is laid beside its
default along the schema: what a struct does not mention keeps its default, so it cannot differ.
Anything that would not convert is no default.
"""

from __future__ import annotations

from typing import Any

from dsql_config.server.decoded import AnyKeyMap
from dsql_config.server.go_durations import parse_duration_ns
from dsql_config.server.go_structs import field_of, losses
from dsql_config.server.go_values import TRUE_TEXTS, duration_ns
from dsql_config.server.setting import Always, Converter, Json, Schema, Setting


def is_default(setting: Setting, value: Any) -> bool:
    """Whether `value` is exactly the default; a default by constraints has no single value."""
    if not isinstance(setting.default, Always) or value is None or losses(setting, value):
        return False
    default = setting.default.value
    match setting.converter:
        case Converter.BOOL:
            return (value in TRUE_TEXTS if isinstance(value, str) else value) == default
        case Converter.GRADUAL_CHANGE if not isinstance(value, dict) and isinstance(default, dict):
            new = next(f.schema for f in setting.schema.fields if f.name == "New")
            return _same(new, value, default["New"])
        case Converter.WILDCARDS | Converter.CALLBACK_ADDRESSES | Converter.URL_TEMPLATE:
            return False
        case _:
            return _same(setting.schema, value, default)


def _same(schema: Schema, value: Any, default: Json) -> bool:
    match schema.kind:
        case "duration":
            return isinstance(default, str) and duration_ns(value) == parse_duration_ns(default)
        case "struct" if isinstance(default, dict) and isinstance(value, (dict, AnyKeyMap)):
            given = ((f, field_of(value, f.tag.split(",", 1)[0] or f.name)) for f in schema.fields)
            return all(
                item is None or _same(field.schema, item, default.get(field.name))
                for field, item in given
            )
        case "list":
            return False
        case "map" | "any":
            return value == default == {}
        case "pointer" if schema.of is not None:
            return default is not None and _same(schema.of, value, default)
        case _:
            return (type(value) is not bool and value == default) or value is default
