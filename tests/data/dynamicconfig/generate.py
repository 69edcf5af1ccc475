"""Dynamic-config files such as people write, and such as they do not mean to.

A file is a valid one with traps set into it: wrong types, constraints of other scopes, YAML's own
tricks, keys in other cases, durations in all spellings, fields that a struct does not have. Every
choice is drawn from one `random.Random`, so that a seed gives a file, and Hypothesis can give the
random.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from dsql_config.server.registry import ServerRegistry, Setting, load_registry
from dsql_config.server.setting import Schema


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_RETIRED = _words(
    "system.enableNexus frontend.enableClientVersionCheck worker.unknownKey history.rpss"
)

_INTS = _words(
    "0 1 7 100 -1 +5 2_000 0x10 0o17 017 0b11 -0x1F 9223372036854775807 9223372036854775808"
)
_HUGE = _words("18446744073709551615 18446744073709551616 -9223372036854775809 1_0_0 0b2 08 0o8 0x")
_FLOATS = _words("0.5 1.0 1e3 .5 -.5 1.5e-3 .inf -.inf .nan 1e999 2.5 1. 1_000.5 99999999999.0 0.0")
_BOOLS = ["true", "false", "True", "FALSE", "yes", "no", "on", "off", "y", "N", "TRUE", "tRue"]
_TEXTS = [
    "abc",
    '""',
    "'true'",
    '"1"',
    '"t"',
    '"10"',
    "a b",
    "'5 minutes'",
    '"\\u00e9"',
    "été",
    "~x",
]
_DURATIONS = _words(
    "30s 1m 1h30m 2d 1.5h 0 10 1.5 -5s +3m 5ms 7us 7µs 7ns 1d12h .5s 2562047h 2562048h 1h-5m"
    " 5minutes 9223372036 9223372037 1e10 99999999999999999999 0s .s 1s2 3w d 1dd .5d 5.d '10'"
    " '1.5' '' '1_0' 106751d 106752d 100000000d 0.0000000001s 9223372036854775807ns"
    " 9223372036854775808ns -9223372036854775808ns 1.9999999999999999999s"
)
_TIMES = _words(
    "2026-01-01 2026-1-2T3:4:5Z 2026-02-30 2026-01-01T00:00:00Z '2026-01-01T00:00:00Z'"
    " '2026-01-01T1:00:00+24:00' '2026-01-01' 1700000000 1700000000.5 '2026-13-01T00:00:00Z'"
)
_NULLS = ["", "~", "null", "NULL", "!!null ''"]
_TAGGED = [
    "!!str 5",
    "!!int '5'",
    "!!float 5",
    "!!bool yes",
    "!!bool true",
    "!!int 5.5",
    "!custom 5",
    "!!binary aGk=",
    "!!binary '*'",
    "!!timestamp '2026-01-01'",
    "! 5",
    "! '5'",
    "!!null x",
    "!!map {}",
    "!!seq []",
    "!!set {a}",
    "!!int ''",
    "!!binary /w==",
]
_MAPS = ["{}", "{a: 1}", "{1: 2}", "{a: {1: 2}}", "{true: x}", "{a: [1, {b: c}]}", "{? [a] : b}"]
_LISTS = ["[]", "[a, b]", "[1, 2]", "[{}]", "[[], [a]]", "[null]", "[{1: 2}]", "['*.x', b*]"]
_ANY: Sequence[Sequence[str]] = (
    _INTS, _HUGE, _FLOATS, _BOOLS, _TEXTS, _DURATIONS, _TIMES, _NULLS, _TAGGED, _MAPS, _LISTS,
)  # fmt: skip

_BY_KIND = {
    "bool": _BOOLS, "float32": _FLOATS, "float64": _FLOATS, "duration": _DURATIONS, "time": _TIMES,
    "string": _TEXTS, "any": _MAPS, "interface": _TEXTS, "func": _TEXTS,
}  # fmt: skip

_CONSTRAINTS = _words(
    "namespace namespaceID taskQueueName taskType shardID historyTaskType destination chasmTaskType"
)
_CONSTRAINT_VALUES = {
    "taskType": _words(
        "Workflow Activity 1 2 99 0 -1 activity TASK_QUEUE_TYPE_WORKFLOW Unspecified '1'"
    ),
    "shardID": _words("1 2 0 -1 4294967297 2147483648 '1' 1.0 9223372036854775808"),
    "historyTaskType": _words("TransferCloseExecution 1 0 -5 99 Unspecified nope TASK_TYPE_CHASM"),
}
_NAMES = ["ns", "'ns'", "5", "true", "''", "2026-01-01", "[]", "~", "!!str 5", "a b"]


def any_value(r: random.Random) -> str:
    """A flow-style value of any type."""
    return r.choice(r.choice(_ANY))


def value_for(schema: Schema, r: random.Random, depth: int = 0) -> str:
    """A flow-style value that mostly fits a Go type."""
    if depth > 6 or r.random() < 0.05:
        return any_value(r)
    if schema.kind == "struct":
        fields = [f for f in schema.fields if not f.unexported or r.random() < 0.1]
        chosen = r.sample(fields, min(len(fields), r.choice([0, 1, 1, 2, 3, 5])))
        items = [
            f"{_cased(f.tag.split(',')[0] or f.name, r)}: {value_for(f.schema, r, depth + 1)}"
            for f in chosen
        ]
        if r.random() < 0.15:
            items.append(r.choice(["extra: 1", "Enable: true", "a: {1: 2}", "2026-01-01: x"]))
        return "{" + ", ".join(items) + "}"
    if schema.kind in ("list", "array"):
        count = r.choice([0, 1, 1, 2, 3])
        return "[" + ", ".join(value_for(_of(schema), r, depth + 1) for _ in range(count)) + "]"
    if schema.kind == "map":
        count = r.choice([0, 1, 2])
        items = (f"k{i}: {value_for(_of(schema), r, depth + 1)}" for i in range(count))
        return "{" + ", ".join(items) + "}"
    if schema.kind == "pointer":
        return r.choice(_NULLS[1:]) if r.random() < 0.1 else value_for(_of(schema), r, depth + 1)
    return r.choice(_BY_KIND.get(schema.kind, _INTS))


def _of(schema: Schema) -> Schema:
    return schema.of or Schema("any")


def _cased(name: str, r: random.Random) -> str:
    roll = r.random()
    if roll < 0.8:
        return name
    return r.choice(
        [name.lower(), name.upper(), f'"{name}"', name + "s", name.replace("s", "ſ", 1)]
    )


def _constraints(setting: Setting | None, registry: ServerRegistry, r: random.Random) -> str:
    fitting = [
        n for n, scopes in registry.constraints.items() if setting and setting.scope in scopes
    ]
    names = fitting if fitting and r.random() < 0.75 else _CONSTRAINTS
    items = []
    for name in r.sample(names, min(len(names), r.choice([1, 1, 2, 3]))):
        values = _CONSTRAINT_VALUES.get(name, _NAMES)
        value = r.choice(values[:2] if r.random() < 0.7 else values)
        items.append(f"{_cased(name, r) if r.random() < 0.3 else name}: {value}")
    if r.random() < 0.04:
        items.append(r.choice(["unknown: x", "NAMESPACE: b", "1: 2", "~: x", "<<: {namespace: m}"]))
    roll = r.random()
    if roll < 0.03:
        return r.choice(["[]", "x", "~", "5", "!!map {}"])
    return "{" + ", ".join(items) + "}"


def _entry(setting: Setting | None, registry: ServerRegistry, r: random.Random) -> list[str]:
    roll = r.random()
    if roll < 0.03:
        return [r.choice(["-", "- ~", "- 5", "- []", "- {}", "- value", "- - value: 1"])]
    if setting is None or r.random() < 0.2:
        value = any_value(r)
    elif setting.schema.kind == "map":
        value = r.choice(_MAPS)
    else:
        value = value_for(setting.schema, r)
    field = "value" if r.random() < 0.97 else r.choice(["Value", "val", "'value'", "? value\n  "])
    lines = [f"{field}: {value}"]
    if r.random() < 0.4:
        name = "constraints" if r.random() < 0.95 else r.choice(["constraint", "Constraints"])
        lines.append(f"{name}: {_constraints(setting, registry, r)}")
    if r.random() < 0.03:
        lines.append(r.choice(["value: 1", "note: x", "<<: {value: 2}", "<<: *a", "~: x", "k: 1"]))
    if r.random() < 0.2:
        r.shuffle(lines)
    if r.random() < 0.1:
        return ["- {" + ", ".join(lines) + "}"]
    return [("- " if i == 0 else "  ") + line for i, line in enumerate(lines)]


def _block(registry: ServerRegistry, settings: Sequence[Setting], r: random.Random) -> list[str]:
    roll = r.random()
    setting: Setting | None = None
    if roll < 0.1:
        key = r.choice(_RETIRED)
    else:
        typed = [s for s in settings if s.go_type]
        setting = r.choice(typed) if typed and r.random() < 0.35 else r.choice(settings)
        key = setting.key
        if roll < 0.2:
            key = r.choice([key.lower(), key.upper(), f'"{key}"', f"'{key.swapcase()}'"])
        elif roll < 0.23:
            key = r.choice([key + "x", key[1:], f"!!str {key}", f"&k {key}", f"? {key}\n"])
    if r.random() < 0.04:
        return [f"{key}: {r.choice(['', '[]', '5', '{value: 1}', '~', 'x', '[{value: 1}]', '*a'])}"]
    anchor = r.choice([" &a", "", "", "", "", ""])
    indent = r.choice(["", "", "  "])
    lines = [f"{key}:{anchor}"]
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        lines += [
            indent + line.replace("\n", "\n" + indent) for line in _entry(setting, registry, r)
        ]
    return lines


_TRICKS = (
    "# a comment", "\t# a tab", "", "---", "...", "%YAML 1.2", "<<: {}", "<<: *a", "x: *a",
    "x: &a [1]", "  ", "\t", "\ufeff", "...\n@", "---\nsecond: 1", "'", "a: [", "]",
    "? {a: b}\n: c", "~:", "null: x", "x: [a?b]", "x: {m:}", "x: \"\\/\"", "x: |\n  - value: 1",
    "5: []", "!!binary aGk=: []", "x: *none", "x: &b [*b]", "\x01", "\x85", "x: [!t, b]",
    "<<: [*a, {y: []}]", "- value: 1", "  - value: 2", "x: y: z", "key without colon",
    "&a x: []", "\u2028", "a\xe9: []", "x: 'it''s'", "x: \"a\\'b\"",
)  # fmt: skip


def file_text(r: random.Random, registry: ServerRegistry | None = None) -> bytes:
    """One file for the settings of `registry` (the newest by default)."""
    registry = registry or load_registry("1.32")
    settings = list(registry)
    lines: list[str] = []
    for _ in range(r.choice([1, 1, 2, 2, 3, 5])):
        lines += _block(registry, settings, r)
    for _ in range(r.choice([0, 0, 0, 0, 0, 0, 1, 1, 2])):
        lines.insert(r.randrange(1, len(lines) + 1), r.choice(_TRICKS))
    text = "\n".join(lines) + "\n"
    if "*a" in text and "&a" not in text and r.random() < 0.8:
        text = r.choice(["anchor: &a []\n", "anchor: [&a {value: 3}]\n"]) + text
    roll = r.random()
    if roll < 0.04:
        at = r.randrange(len(text))
        text = text[:at] + r.choice(" \t\n:-#'\"[]{},&*!|>%@?") + text[at + r.choice([0, 1]) :]
    if roll > 0.98:
        return r.choice(
            [b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode() + b"\xff"]
        )
    return text.replace("\n", "\r\n").encode() if 0.96 < roll < 0.98 else text.encode()
