"""Values become Go values, or do not, as in the server."""

from __future__ import annotations

from typing import Any

import pytest

from dsql_config.server.go_durations import parse_duration_ns
from dsql_config.server.go_structs import CONVERT, losses
from dsql_config.server.go_template import is_template
from dsql_config.server.go_values import SCALARS, LossKind
from dsql_config.server.registry import load_registry
from dsql_config.server.setting import Converter
from dsql_config.server.yaml_scalars import Timestamp, is_rfc3339

_MS = 1_000_000
_S = 1_000 * _MS

_DURATIONS = [
    ("30s", 30 * _S), ("1h30m", 5400 * _S), ("2d", 172_800 * _S), ("1.5", 1_500 * _MS),
    ("10", 10 * _S), (".5s", 500 * _MS), ("1d12h", 129_600 * _S), ("-5m", -300 * _S),
    ("+3m", 180 * _S), ("0", 0), ("7us", 7_000), ("7µs", 7_000), ("7μs", 7_000),
    ("1.9999999999s", 1_999_999_999), ("2562047h47m16.854775807s", 2**63 - 1),
    ("-2562047h47m16.854775808s", -(2**63)), ("2562047h47m16.854775808s", None),
    ("2562048h", None), ("106752d", None), ("", None), ("s", None), ("5 minutes", None),
    ("5minutes", None), ("1h-5m", None), ("3w", None), ("1e3", None), ("1_0", None), ("30S", None),
    (".s", None), ("-", None), ("99999999999999999999", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ns"), _DURATIONS)
def test_duration(text: str, ns: int | None) -> None:
    """Durations are Go's with days and bare seconds, to the nanosecond, within an int64."""
    assert parse_duration_ns(text) == ns


_FAILS = [
    ("bool", "yes"), ("bool", 1), ("bool", None), ("bool", "tRue"), ("int", "5"), ("int", 5.0),
    ("int", True), ("int", None), ("float", "1.5"), ("float", True), ("float", None),
    ("duration", True), ("duration", "5 minutes"), ("duration", [1]),
    ("duration", Timestamp("2026-01-01")), ("string", 5), ("string", True),
    ("string", Timestamp("2026-01-01")), ("map", []), ("map", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), _FAILS)
def test_wrong_type(kind: str, value: Any) -> None:
    """A value of a type that a kind does not take fails."""
    assert [loss.kind for loss in SCALARS[kind](value)] == [LossKind.WRONG_TYPE]


_TAKEN = [
    ("bool", True), ("bool", "true"), ("bool", "1"), ("bool", "F"), ("int", 5), ("int", -5),
    ("float", 1), ("float", 1.5), ("duration", 5), ("duration", 1.5), ("duration", "10"),
    ("string", ""), ("map", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), _TAKEN)
def test_taken_as_it_is(kind: str, value: Any) -> None:
    """A value that a kind takes loses nothing."""
    assert not list(SCALARS[kind](value))


_LOST = [
    ("int", 2**63, LossKind.INT_OVERFLOW), ("float", float("nan"), LossKind.NOT_FINITE),
    ("float", float("-inf"), LossKind.NOT_FINITE),
    ("duration", 9_223_372_037, LossKind.DURATION_OVERFLOW),
    ("duration", float("nan"), LossKind.DURATION_OVERFLOW),
    ("duration", 1e10, LossKind.DURATION_OVERFLOW),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "loss"), _LOST)
def test_lost_in_silence(kind: str, value: Any, loss: LossKind) -> None:
    """Some values are taken without being what was written; the server does not warn."""
    (found,) = SCALARS[kind](value)
    assert (found.kind, found.fails) == (loss, False)


_TYPED = [
    ("history.cacheBackgroundEvict", {"enabled": True}, ()),
    ("history.cacheBackgroundEvict", {"Enable": True}, ((LossKind.UNKNOWN_FIELD, "Enable"),)),
    ("history.cacheBackgroundEvict", {"Enabled": "true"}, ((LossKind.WRONG_TYPE, "Enabled"),)),
    (
        "history.cacheBackgroundEvict",
        {"MaxEntryPerCall": 1.5},
        ((LossKind.FRACTION_CUT, "MaxEntryPerCall"),),
    ),
    ("history.cacheBackgroundEvict", {"Enabled": None}, ()),
    ("history.cacheBackgroundEvict", None, ((LossKind.NULL_VALUE, ""),)),
    ("history.cacheBackgroundEvict", [], ((LossKind.WRONG_TYPE, ""),)),
    ("matching.enableFairness", True, ()),
    ("matching.enableFairness", "1", ()),
    ("matching.enableFairness", 1, ((LossKind.WRONG_TYPE, ""),)),
    ("matching.enableFairness", {"New": True, "Start": "soon"}, ((LossKind.WRONG_TYPE, "Start"),)),
    ("matching.partitionScaler", {"Min": -1}, ((LossKind.WRONG_TYPE, "Min"),)),
    (
        "matching.partitionScaler",
        {"Ups": [{"Window": "1s"}]},
        ((LossKind.WRONG_TYPE, "Ups[0].TargetRate"),),
    ),
    ("frontend.httpAllowedHosts", ["*.x", 1], ((LossKind.WRONG_TYPE, "[1]"),)),
    ("callback.allowedAddresses", [{"AllowInsecure": True}], ((LossKind.ENTRY_DROPPED, "[0]"),)),
    ("system.nexusHTTPTraceConfig", {"Enabled": 5}, ((LossKind.DEFAULT_USED, "Enabled"),)),
    ("nexusoperation.callback.endpoint.template", "{{", ((LossKind.WRONG_TYPE, ""),)),
]


@pytest.mark.parametrize(("key", "value", "expected"), _TYPED)
def test_typed(key: str, value: Any, expected: tuple[tuple[LossKind, str], ...]) -> None:
    """A typed setting is filled field by field; what fails or is lost says where."""
    setting = load_registry("1.32").find(key)
    assert setting is not None
    assert tuple((loss.kind, loss.path) for loss in losses(setting, value)) == expected


def test_every_converter_has_a_conversion() -> None:
    """The two tables of conversions cover the registry's converters, each once."""
    assert {*SCALARS, *CONVERT} == set(Converter)
    assert not set(SCALARS) & set(CONVERT)


_TEMPLATES = [
    ("http://x/{{.NamespaceName}}/{{.NamespaceID}}", True), ("plain }} text", True), ("{{", False),
    ("{{.A}", False), ("{{}}", False), ("{{.A.B.C}}", True), ("{{upper .A}}", False),
    ("{{len .A | printf \"%d\"}}", True), ("{{.A | 1}}", False), ("{{if .A}}x{{end}}", True),
    ("{{if .A}}x", False), ("{{end}}", False), ("{{range .L}}{{break}}{{end}}", True),
    ("{{break}}", False), ("{{$x := 1}}{{$x}}", True), ("{{$y}}", False),
    ("{{range $i, $v := .L}}{{$i}}{{end}}", True), ("{{with $i, $v := .L}}{{end}}", False),
    ("{{/* c */}}", True), ("{{/* c */x}}", False), ("{{- .A -}}", True), ("{{(len .A).B}}", True),
    ("{{1.5.B}}", False), ("{{'ab'}}", False), ("{{'\\n'}}", True),
    ("{{0x1F}}{{1i}}{{1+2i}}{{1_000}}", True), ("{{99999999999999999999}}", False),
    ("{{define \"a\"}}x{{end}}{{template \"a\"}}", True),
    ("{{define \"a\"}}x{{end}}{{define \"a\"}}y{{end}}", False),
    ("{{block \"a\" .}}{{end}}", True), ("{{if .A}}{{else if .B}}{{else}}{{end}}", True),
    ("{{.A@}}", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parses"), _TEMPLATES)
def test_template(text: str, parses: bool) -> None:
    """A template parses where Go 1.26's text/template parses it; the answers are Go's."""
    assert is_template(text) is parses


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2026-01-31T12:00:00Z", True),
        ("2026-01-31T1:00:00.5+24:00", True),
        ("2026-01-31", False),
        ("2026-02-30T12:00:00Z", False),
        ("2026-01-31 12:00:00Z", False),
        ("2026-01-31T12:00:00", False),
    ],
)
def test_time_in_a_struct(text: str, valid: bool) -> None:
    """A text for a time is RFC 3339, as leniently as Go reads it."""
    assert is_rfc3339(text) is valid
