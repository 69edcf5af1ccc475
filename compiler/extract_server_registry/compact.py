"""Joins the registries of several releases into the file that the product loads.

Theory of operation. Most settings never change, so a setting is one line: the key as the newest
release that has it spells it, and its history: one entry for each release in which something
changed, which repeats only what changed. `{"since": R, "gone": true}` ends a history. Lines are
sorted by key and objects keep one order of names, so equal registries give equal bytes.

A converter is named by what it does with a value, not by its Go function. Those that the server
writes for one setting are read once by a human and listed in `OWN_CONVERTERS` with the type that
they decode into; a function that is not in the tables stops the extraction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

DYNAMIC_CONFIG: Final = "go.temporal.io/server/common/dynamicconfig."

SCOPES: Final = {
    1: "global",
    2: "namespace",
    3: "namespace_id",
    4: "taskqueue",
    5: "shard",
    6: "task_type",
    7: "destination",
    8: "chasm_task_type",
}
"""dynamicconfig.Precedence, as setting_gen.go of every supported release numbers it."""

SCALARS: Final = {
    "convertBool": "bool",
    "convertInt": "int",
    "convertFloat": "float",
    "convertDuration": "duration",
    "convertString": "string",
    "convertMap": "map",
}
"""Go function in common/dynamicconfig to the kind of value, which is its converter too."""

GENERIC: Final = (
    (re.compile(r"\bConvertGradualChange\["), "gradual_change"),
    (re.compile(r"\b(ConvertStructure|New\w+TypedSetting)\["), "structure"),
)
"""Converters for any Go type: a closure is named after the functions it was made in."""

STRINGS: Final = {"kind": "list", "of": {"kind": "string"}}
ADDRESSES: Final = {
    "kind": "list",
    "of": {
        "kind": "struct",
        "name": "entry",
        "fields": [
            {"name": "Pattern", "schema": {"kind": "string"}},
            {"name": "AllowInsecure", "schema": {"kind": "bool"}},
        ],
    },
}
RETRY_POLICY: Final = {
    "kind": "struct",
    "name": "nexusoperation.RetryPolicyConfig",
    "fields": [
        {"name": "InitialInterval", "schema": {"kind": "duration"}},
        {"name": "MaxInterval", "schema": {"kind": "duration"}},
    ],
}

OWN_CONVERTERS: Final[dict[str, tuple[str, dict[str, Any] | None]]] = {
    "callback.allowedAddresses": ("callback_addresses", ADDRESSES),
    "chasm.callback.allowedAddresses": ("callback_addresses", ADDRESSES),
    "component.callbacks.allowedAddresses": ("callback_addresses", ADDRESSES),
    "component.nexusoperations.disallowedHeaders": ("lowercased_list", STRINGS),
    "nexusoperation.disallowedHeaders": ("lowercased_list", STRINGS),
    "frontend.httpAllowedHosts": ("wildcards", STRINGS),
    "frontend.nexusRequestHeadersBlacklist": ("wildcards", STRINGS),
    "matching.partitionScaler": ("partition_scaler", None),
    "nexusoperation.callback.endpoint.template": ("url_template", {"kind": "string"}),
    "nexusoperation.retryPolicy": ("structure", RETRY_POLICY),
    "system.nexusHTTPTraceConfig": ("lenient_structure", None),
}
"""Settings whose converter is written for them, to its name and the type it decodes a value into
where that is not the setting's own. Read in releases 1.27.3 to 1.32.1; see `Converter`."""

DEFAULTS_AS_IN_A_FILE: Final[dict[str, Callable[[Any], Any]]] = {
    "callback.allowedAddresses": lambda value: value["Rules"],
    "chasm.callback.allowedAddresses": lambda value: value["Rules"],
    "component.callbacks.allowedAddresses": lambda value: (value or {}).get("Rules"),
    "nexusoperation.retryPolicy": lambda value: {
        "InitialInterval": value["initialInterval"],
        "MaxInterval": value["maximumInterval"],
    },
}
"""Defaults that the server holds in another shape than a file gives them."""


def write_data(dumps: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write `registries.json` from one dump a release, oldest first."""
    releases = list(dumps)
    settings = {release: _settings(dump) for release, dump in dumps.items()}
    keys = sorted({lower for of_release in settings.values() for lower in of_release})
    head = {
        "releases": releases,
        "constraints": _history(releases, [_constraints(d) for d in dumps.values()]),
        "task_queue_types": _history(releases, [d["task_queue_types"] for d in dumps.values()]),
        "history_task_types": _history(releases, [d["history_task_types"] for d in dumps.values()]),
        "unread": _history(releases, [{"prefixes": d["unread"]} for d in dumps.values()]),
    }
    lines = [_line(releases, [settings[release].get(key) for release in releases]) for key in keys]
    parts = [f'"{name}": {json.dumps(value)}' for name, value in head.items()]
    rows = ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    parts.append(f'"settings": [\n{rows}\n]')
    (folder / "registries.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


def _settings(dump: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {raw["key"].lower(): _setting(raw) for raw in dump["settings"]}


def _setting(raw: dict[str, Any]) -> dict[str, Any]:
    converter, schema = _converter(raw)
    out = {"key": raw["key"], "scope": SCOPES[raw["scope"]]}
    if converter in SCALARS.values():
        out["kind"] = converter
    else:
        if '"opaque"' in json.dumps(schema):
            raise SystemExit(f"{raw['key']}: its converter decodes into {schema}")
        out |= {
            "kind": "typed",
            "go_type": raw["go_type"],
            "converter": converter,
            "schema": schema,
        }
    if "constrained" in raw:
        out["by_constraints"] = [
            {"constraints": _named(row["constraints"]), "value": row["value"]}
            for row in raw["constrained"]
        ]
    else:
        as_in_a_file = DEFAULTS_AS_IN_A_FILE.get(raw["key"], lambda value: value)
        out["default"] = as_in_a_file(raw["default"])
    return out


def _converter(raw: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of a setting's converter, and the type that it decodes a value of a file into."""
    if raw["converter"].startswith(DYNAMIC_CONFIG):
        function = raw["converter"].removeprefix(DYNAMIC_CONFIG)
        if function in SCALARS:
            return SCALARS[function], raw["schema"]
        for pattern, name in GENERIC:
            if pattern.search(function):
                return name, raw["schema"]
    if raw["key"] not in OWN_CONVERTERS:
        raise SystemExit(f"{raw['key']}: read {raw['converter']} and add it to OWN_CONVERTERS")
    name, schema = OWN_CONVERTERS[raw["key"]]
    return name, schema or raw["schema"]


CONSTRAINT_NAMES: Final = {
    "Namespace": "namespace",
    "TaskQueueName": "taskQueueName",
    "TaskQueueType": "taskType",
}
"""Field of dynamicconfig.Constraints to its name in a file, for those that defaults use."""


def _named(constraints: dict[str, Any]) -> dict[str, Any]:
    return {CONSTRAINT_NAMES[field]: value for field, value in constraints.items()}


def _constraints(dump: dict[str, Any]) -> dict[str, list[str]]:
    return {name: [SCOPES[n] for n in scopes] for name, scopes in dump["constraints"].items()}


def _line(releases: list[str], states: list[dict[str, Any] | None]) -> dict[str, Any]:
    """One setting: what never changes, and the history of the rest."""
    newest = next(state for state in reversed(states) if state)
    changing = [
        {k: v for k, v in state.items() if k != "key"} if state else None for state in states
    ]
    return {"key": newest["key"], "history": _history(releases, changing)}


def _history(releases: list[str], states: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The releases at which a state differs from the one before, each with what differs.

    `set` holds from `since` on, `drop` names what is there no longer, `gone` says nothing is.
    """
    entries: list[dict[str, Any]] = []
    before: dict[str, Any] | None = None
    for release, state in zip(releases, states, strict=True):
        if _text(state) == _text(before):
            continue
        difference = {"gone": True} if state is None else _difference(before or {}, state)
        entries.append({"since": release, **difference})
        before = state
    return entries


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    changed = {
        name: value
        for name, value in after.items()
        if name not in before or _text(before[name]) != _text(value)
    }
    dropped = sorted(before.keys() - after.keys())
    return {"set": changed} | ({"drop": dropped} if dropped else {})


def _text(value: object) -> str:
    """Canonical JSON: to Python 1, 1.0 and true are equal, to a server they are not."""
    return json.dumps(value, sort_keys=True)
