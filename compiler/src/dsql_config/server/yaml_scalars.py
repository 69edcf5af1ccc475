"""What one YAML scalar means to the server.

Theory of operation. The server reads its file with yaml.v3, which follows YAML 1.2 with some of 1.1
kept: octals in both spellings, underscores in numbers, dates. A plain scalar is looked up in a
table of words, then tried as a time, an int and a float; what is left is a string, so `yes` and `5
minutes` are strings and `1e3` is a float. A tag of the core schema (`!!int`) must agree with what
the text resolves to; any other tag turns the scalar into a string.

Go values are kept apart by their Python types: `int` covers Go's int and, above `INT64_MAX`,
uint64; `Timestamp` stands for time.Time; a str may carry undecodable bytes of `!!binary` as
surrogates.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import math
import re
from dataclasses import dataclass
from typing import Final

INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)
_UINT64_MAX: Final = 2**64 - 1

NULL: Final = "!!null"
BOOL: Final = "!!bool"
STR: Final = "!!str"
INT: Final = "!!int"
FLOAT: Final = "!!float"
TIMESTAMP: Final = "!!timestamp"
BINARY: Final = "!!binary"
MERGE: Final = "!!merge"

_CORE: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A scalar that Go reads as time.Time; only its text matters to the check."""

    text: str


Scalar = None | bool | int | float | str | Timestamp


class BadScalar(ValueError):
    """A scalar that contradicts its own tag; the whole file is refused."""


_WORDS: Final[dict[str, tuple[str, Scalar]]] = {
    **dict.fromkeys(("true", "True", "TRUE"), (BOOL, True)),
    **dict.fromkeys(("false", "False", "FALSE"), (BOOL, False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (NULL, None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (FLOAT, math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), (FLOAT, math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (FLOAT, -math.inf)),
}

_CHECKED_TAGS: Final = frozenset({"", STR, BOOL, INT, FLOAT, NULL, TIMESTAMP})
"""Tags whose text is resolved; under any other tag the text stays as it is."""

_YAML_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_HEX_FLOAT: Final = re.compile(
    r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][-+]?[0-9]{1,3}"
)
_STRAY_UNDERSCORE: Final = re.compile(r"(?<![0-9])_|_(?![0-9])")
_STRAY_IN_PREFIXED: Final = re.compile(r"(?<![0-9a-fA-FxXoO])_|_(?![0-9a-fA-F])")
_PREFIXED: Final = re.compile(r"[-+]?0[xXbBoO]")
_GO_INT: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO](?P<o>[0-7]+)"
    r"|0(?P<z>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_RADIX: Final = {"x": 16, "b": 2, "o": 8, "z": 8, "d": 10}
_LATE_INT: Final = re.compile(r"-?0(?:b[-+]?(?P<b>[01]+)|o[-+]?(?P<o>[0-7]+))")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?")
_ZONE: Final = re.compile(r"Z|[-+]([0-9]{2}):([0-9]{2})")


def short_tag(tag: str) -> str:
    """`!!int` for `tag:yaml.org,2002:int`; other tags as they are."""
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag


def resolve(tag: str, text: str) -> tuple[str, Scalar]:
    """The tag and value of a scalar with the short tag `tag` ("" for none).

    Raises `BadScalar` when text and tag disagree.
    """
    if tag not in _CHECKED_TAGS:
        return (tag, _binary(text)) if tag == BINARY else (tag, text)
    if tag == STR:
        return STR, text
    found, value = _untagged(text, maybe_time=tag in ("", TIMESTAMP))
    if tag in ("", found):
        return found, value
    if tag == FLOAT and found == INT and isinstance(value, int) and value <= INT64_MAX:
        return FLOAT, float(value)
    raise BadScalar(f"cannot read {found} `{text[:40]}` as {tag}")


def _untagged(text: str, *, maybe_time: bool) -> tuple[str, Scalar]:
    word = _WORDS.get(text)
    if word is not None:
        return word
    first = text[0]
    if first == ".":
        number = _point_float(text)
        return (STR, text) if number is None else (FLOAT, number)
    if first not in "+-0123456789":
        return STR, text
    if maybe_time and is_yaml_time(text):
        return TIMESTAMP, Timestamp(text)
    plain = text.replace("_", "")
    number = go_integer(plain)
    if number is not None:
        return INT, number
    if _YAML_FLOAT.fullmatch(plain) and math.isfinite(value := float(plain)):
        return FLOAT, value
    number = _late_integer(plain)
    return (STR, text) if number is None else (INT, number)


def go_integer(text: str, *, underscores: bool = False) -> int | None:
    """Go's ParseInt with base 0, then ParseUint, which takes no sign; None for what neither takes.

    With `underscores` they may separate digits, as in a Go literal.
    """
    if underscores and "_" in text:
        if _has_stray_underscore(text):
            return None
        text = text.replace("_", "")
    m = _GO_INT.fullmatch(text)
    if m is None or m.lastgroup is None:
        return None
    digits = m[m.lastgroup].lstrip("0") or "0"
    if len(digits) > 64:
        return None
    value = int(digits, _RADIX[m.lastgroup])
    if m["sign"]:
        value = -value if m["sign"] == "-" else value
        return value if INT64_MIN <= value <= INT64_MAX else None
    return value if value <= _UINT64_MAX else None


def _has_stray_underscore(text: str) -> bool:
    """Underscores stand between digits, or behind a base prefix."""
    stray = _STRAY_IN_PREFIXED if _PREFIXED.match(text) else _STRAY_UNDERSCORE
    return stray.search(text) is not None


def is_go_float(text: str) -> bool:
    """Whether Go's ParseFloat takes `text` as a finite number."""
    if "_" in text:
        if _has_stray_underscore(text):
            return False
        text = text.replace("_", "")
    if _HEX_FLOAT.fullmatch(text):
        return True
    return bool(_YAML_FLOAT.fullmatch(text)) and math.isfinite(float(text))


def _late_integer(plain: str) -> int | None:
    """What only yaml.v3's own `0b` and `0o` handling takes: a second sign after the prefix."""
    m = _LATE_INT.fullmatch(plain)
    if m is None or m.lastgroup is None or plain[0] == "-":
        return None
    sign = "-" if plain[2] == "-" else ""
    value = int(sign + m[m.lastgroup][:80], _RADIX[m.lastgroup])
    return value if INT64_MIN <= value <= INT64_MAX else None


def _point_float(text: str) -> float | None:
    return float(text.replace("_", "")) if is_go_float(text) else None


def is_yaml_time(text: str) -> bool:
    """Whether yaml.v3 reads `text` as a time: a date, or a date with a clock."""
    date = _DATE.match(text)
    if date is None or not _real_date(date):
        return False
    rest = text[date.end() :]
    if not rest:
        return True
    clock = _CLOCK.match(rest.lstrip(" ") if rest[0] == " " else rest[1:])
    if rest[0] not in " Tt" or clock is None or not _real_clock(clock):
        return False
    tail = clock.string[clock.end() :]
    return not tail if rest[0] == " " else _real_zone(tail)


_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?(.*)",
    re.DOTALL,
)


def is_rfc3339(text: str) -> bool:
    """Whether Go's time.Parse takes `text` as RFC 3339, which a time inside a struct must be."""
    m = _RFC3339.fullmatch(text)
    if m is None or not _real_date(m):
        return False
    return int(m[4]) < 24 and int(m[5]) < 60 and int(m[6]) < 60 and _real_zone(m[7])


def _real_date(m: re.Match[str]) -> bool:
    year, month, day = int(m[1]), int(m[2]), int(m[3])
    if not 1 <= month <= 12:
        return False
    return 1 <= day <= calendar.monthrange(year, month)[1]


def _real_clock(m: re.Match[str]) -> bool:
    return int(m[1]) < 24 and int(m[2]) < 60 and int(m[3]) < 60


def _real_zone(text: str) -> bool:
    m = _ZONE.fullmatch(text)
    return m is not None and (text == "Z" or (int(m[1]) <= 24 and int(m[2]) <= 60))


def _binary(text: str) -> str:
    """Go's strict standard base64, which skips line breaks."""
    packed = text.replace("\r", "").replace("\n", "")
    try:
        data = base64.b64decode(packed.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as e:
        raise BadScalar("!!binary holds no valid base64") from e
    if len(packed) % 4:
        raise BadScalar("!!binary holds no valid base64")
    return data.decode("utf-8", "surrogateescape")
