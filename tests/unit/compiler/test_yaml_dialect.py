"""A file's form is read as yaml.v3 reads it into the loader's type."""

from __future__ import annotations

import math

import pytest

from dsql_config.server.decoded import AnyKeyMap, Trouble
from dsql_config.server.yaml_dialect import decode
from dsql_config.server.yaml_scalars import Timestamp

_SCALARS = [
    ("5", 5), ("+5", 5), ("-5", -5), ("2_000", 2000), ("0x10", 16), ("0X1f", 31), ("0o17", 15),
    ("017", 15), ("0b101", 5), ("-0b1", -1), ("089", 89.0), ("0o8", "0o8"), ("0x", "0x"),
    ("9223372036854775808", 2**63), ("18446744073709551616", 2.0**64), ("1e3", 1000.0),
    (".5", 0.5), ("5.", 5.0), ("1_0.5", 10.5), (".inf", math.inf), ("-.INF", -math.inf),
    ("1e999", "1e999"), ("infinity", "infinity"), ("nan", "nan"), ("true", True), ("True", True),
    ("tRue", "tRue"), ("yes", "yes"), ("off", "off"), ("y", "y"), ("~", None), ("null", None),
    ("Null", None), ("nUll", "nUll"), ("", None), ("''", ""),
    ("2026-01-01", Timestamp("2026-01-01")), ("2026-1-2t3:4:5Z", Timestamp("2026-1-2t3:4:5Z")),
    ("2026-02-30", "2026-02-30"), ("2024-02-29", Timestamp("2024-02-29")), ("1:30", "1:30"),
    ("'5'", "5"), ('"\\x41"', "A"), ("! 5", 5), ("! '5'", "5"), ("!!str 5", "5"), ("!!int '5'", 5),
    ("!!float 5", 5.0), ("!own 5", "5"), ("!!binary aGk=", "hi"), ("!!null ''", None),
    ("!<tag:yaml.org,2002:int> 5", 5), ("!!timestamp '2026-01-01'", Timestamp("2026-01-01")),
]  # fmt: skip


def _one(text: str) -> object:
    decoded = decode(f"k:\n- value: {text}\n".encode())
    assert not decoded.problems
    return decoded.keys[0].entries[0].value


@pytest.mark.parametrize(("text", "value"), _SCALARS)
def test_scalar(text: str, value: object) -> None:
    """A scalar becomes the Go value that yaml.v3 gives for an `any`, of that very type."""
    found = _one(text)
    assert found == value
    assert type(found) is type(value)


def test_nan() -> None:
    """`.nan` is a float that is not itself."""
    found = _one(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


_REFUSED = [
    ("k: 5\n", Trouble.NOT_A_LIST, 1),
    ("k: {value: 5}\n", Trouble.NOT_A_LIST, 1),
    ("- value: 5\n", Trouble.WRONG_SHAPE, 1),
    ("k:\n- 5\n", Trouble.WRONG_SHAPE, 2),
    ("k:\n- value: 5\n  constraints: []\n", Trouble.WRONG_SHAPE, 3),
    ("[a]: []\n", Trouble.WRONG_SHAPE, 1),
    ("k: []\nk: []\n", Trouble.DUPLICATE_KEY, 2),
    ("k: []\n'k': []\n", Trouble.DUPLICATE_KEY, 2),
    ("k:\n- value: {1: a, '1': b}\n", Trouble.DUPLICATE_KEY, 2),
    ("k:\n- value: !!int five\n", Trouble.BAD_SCALAR, 2),
    ("k:\n- value: !!binary '*'\n", Trouble.BAD_SCALAR, 2),
    ("k: &a\n- value: *a\n", Trouble.BAD_ALIAS, 2),
    ("k:\n- <<: 5\n", Trouble.BAD_MERGE, 2),
    ("k: *a\n", Trouble.NOT_YAML, 1),
    ("k:\n\t- value: 5\n", Trouble.NOT_YAML, 2),
    ("k: [\n", Trouble.NOT_YAML, 2),
    ("%YAML 1.2\n---\nk: []\n", Trouble.NOT_YAML, 1),
    ("k: [a?b]\n", Trouble.NOT_YAML, 1),
    ('k:\n- value: "\\/"\n', Trouble.NOT_YAML, 2),
    ("k: []\n# \x07\n", Trouble.NOT_YAML, 2),
    ("k: []\n---\n@\n", Trouble.NOT_YAML, 3),
]


@pytest.mark.parametrize(("text", "trouble", "line"), _REFUSED)
def test_refused(text: str, trouble: Trouble, line: int) -> None:
    """What yaml.v3 refuses is refused, with the line that it is on."""
    decoded = decode(text.encode())
    assert decoded.refused
    assert (trouble, line) in {(p.trouble, p.line) for p in decoded.problems}


_SILENT = [
    ("k:\n-\n- value: 5\n", Trouble.NULL_DROPPED, 2),
    ("~: 5\n", Trouble.NULL_DROPPED, 1),
    ("k:\n- value: 5\n  constraint: {}\n", Trouble.UNKNOWN_FIELD, 3),
    ("k:\n- Value: 5\n", Trouble.UNKNOWN_FIELD, 2),
    ("k: []\n---\na: 1\nb: @\n", Trouble.TEXT_AFTER_DOCUMENT, 2),
]


@pytest.mark.parametrize(("text", "trouble", "line"), _SILENT)
def test_dropped_in_silence(text: str, trouble: Trouble, line: int) -> None:
    """What yaml.v3 drops without a word does not refuse the file, and is told."""
    decoded = decode(text.encode())
    assert not decoded.refused
    assert [(p.trouble, p.line) for p in decoded.problems] == [(trouble, line)]


def test_all_refusals_at_once() -> None:
    """Refusals that do not stop yaml.v3 are collected, in the order of the file."""
    decoded = decode(b"a: 5\nb:\n- 6\nc: []\nc: []\nd: {e: f}\n")
    assert [p.trouble for p in decoded.problems] == [Trouble.DUPLICATE_KEY]
    decoded = decode(b"a: 5\nb:\n- 6\nd: {e: f}\n")
    assert [(p.key, p.line) for p in decoded.problems] == [("a", 1), ("b", 3), ("d", 4)]


def test_merge_keeps_what_is_there() -> None:
    """A merged mapping gives only what the entry itself does not have; the first of a list wins."""
    text = b"x: [&m {value: 1}, &n {value: 2, constraints: {namespace: a}}]\nk:\n- <<: [*m, *n]\n"
    entry = decode(text).keys[1].entries[0]
    assert (entry.value, entry.constraints) == (1, {"namespace": "a"})
    own = decode(b"x: [&m {value: 1}]\nk:\n- <<: *m\n  value: 3\n").keys[1].entries[0]
    assert own.value == 3


def test_keys_that_are_no_strings() -> None:
    """A mapping with such a key is another Go type, and keeps 1 and true apart."""
    value = _one("{1: a, true: b, c: d}")
    assert isinstance(value, AnyKeyMap)
    assert list(value) == [(1, "a"), (True, "b"), ("c", "d")]


def test_wide_characters() -> None:
    """UTF-16 with a mark and UTF-8 with one decode alike; a mark inside a file is text."""
    text = "k:\n- value: é\n"
    plain = decode(text.encode())
    assert decode(text.encode("utf-16")) == plain
    assert decode(b"\xef\xbb\xbf" + text.encode()) == plain
    assert [k.name for k in decode("a: []\n\ufeffb: []\n".encode()).keys] == ["a", "\ufeffb"]


@pytest.mark.parametrize(("depth", "refused"), [(9_998, False), (9_999, True), (100_000, True)])
def test_depth(depth: int, refused: bool) -> None:
    """Flow collections nest 10,000 deep, two of them around the value, and no deeper."""
    text = b"k: [{value: " + b"[" * depth + b"]" * depth + b"}]\n"
    assert decode(text).refused is refused


def test_alias_bomb_is_cut_off() -> None:
    """Nine aliases of nine aliases, fifty levels deep, are refused and not expanded."""
    levels = [b"a0: &a0 [{value: 1}]"]
    for i in range(1, 50):
        aliases = b", ".join([b"*a%d" % (i - 1)] * 9)
        levels.append(b"a%d: &a%d [{value: [%s]}]" % (i, i, aliases))
    problems = decode(b"\n".join(levels)).problems
    assert [p.trouble for p in problems] == [Trouble.BAD_ALIAS]


def test_deep_chain_of_aliases() -> None:
    """Aliases of aliases may be deeper than Python's stack."""
    levels = [b"a0: &a0 [{value: 1}]"]
    levels += [b"a%d: &a%d [{value: *a%d}]" % (i, i, i - 1) for i in range(1, 120)]
    chain = b"\n".join(levels) + b"\nb: [{value: " + b"[" * 900 + b"*a119" + b"]" * 900 + b"}]\n"
    decoded = decode(chain)
    assert not decoded.refused
    assert len(decoded.keys) == 121


def test_refusals_end_after_a_thousand() -> None:
    """A list of wrong items without end gives a thousand problems, and the verdict stands."""
    decoded = decode(b"k: [" + b"x, " * 100_000 + b"]\n")
    assert decoded.refused
    assert len(decoded.problems) == 1_000


def test_tabs_before_comments() -> None:
    """Behind a comment line, comments may be indented by tabs, as many as there are."""
    assert not decode(b"# a\n" + b"\t# b\n" * 10_000 + b"k: []\n").problems
    assert decode(b"k: []\n\t# b\n").refused
