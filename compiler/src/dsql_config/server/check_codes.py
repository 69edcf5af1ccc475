"""Every code that `check` reports: how bad it is, what the server does, and what it means.

Theory of operation. The verdict on a file is the server's, not ours. Each code says in `response`
what the server itself does with such a file, and the severity follows from it; differential tests
hold the findings against real servers through `verdict` and compare nothing else.

    response       severity  the server
    REFUSES        error     cannot decode the file and takes nothing from it
    REJECTS        error     decodes it, finds this, and takes nothing from it
    UNREGISTERED   error     warns of the key and ignores it
    INVALID        error     warns of the value and uses its default
    OUT_OF_SCOPE   error     warns of the constraint; the entry matches nothing
    SILENT         warning   says nothing, and does not do what is written
    UNKNOWN        warning   may know the key: this release's registry could not be read whole
    AS_WRITTEN     info      does what is written
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from dsql_config.findings import Finding, Severity
from dsql_config.server.constraints import go_lower


class Response(Enum):
    """What the server does."""

    REFUSES = auto()
    REJECTS = auto()
    UNREGISTERED = auto()
    INVALID = auto()
    OUT_OF_SCOPE = auto()
    SILENT = auto()
    UNKNOWN = auto()
    AS_WRITTEN = auto()


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table."""

    response: Response
    meaning: str

    @property
    def severity(self) -> Severity:
        """Error for what the server says something about."""
        if self.response in (Response.SILENT, Response.UNKNOWN):
            return Severity.WARNING
        return Severity.INFO if self.response is Response.AS_WRITTEN else Severity.ERROR


CODES: Final[dict[str, Code]] = {
    "not_yaml": Code(Response.REFUSES, "the text cannot be parsed"),
    "duplicate_key": Code(Response.REFUSES, "a key stands twice in one mapping"),
    "not_a_list": Code(Response.REFUSES, "a setting's value is no list of {value, constraints}"),
    "wrong_shape": Code(
        Response.REFUSES, "a part of the file has another form than the server reads"
    ),
    "bad_scalar": Code(Response.REFUSES, "a scalar contradicts its tag"),
    "bad_alias": Code(
        Response.REFUSES, "an alias contains itself, or aliases are most of the file"
    ),
    "bad_merge": Code(Response.REFUSES, "`<<` is given something else than mappings"),
    "key_not_string": Code(
        Response.REJECTS, "a mapping inside a value has a key that is no string"
    ),
    "unknown_constraint": Code(Response.REJECTS, "no constraint has this name"),
    "bad_constraint_value": Code(Response.REJECTS, "a constraint has a value it cannot have"),
    "unknown_key": Code(Response.UNREGISTERED, "no known release of the server has this setting"),
    "retired_key": Code(
        Response.UNREGISTERED, "an older server has this setting, this one does not"
    ),
    "future_key": Code(Response.UNREGISTERED, "a newer server has this setting, this one does not"),
    "unread_key": Code(Response.UNKNOWN, "no registry tells whether the server has this setting"),
    "wrong_type": Code(Response.INVALID, "the value does not convert to the setting's type"),
    "wrong_scope": Code(Response.OUT_OF_SCOPE, "the setting does not take this constraint"),
    "empty_key": Code(Response.SILENT, "a setting without entries sets nothing"),
    "key_twice": Code(Response.SILENT, "keys differ only in case; one of them wins at random"),
    "null_dropped": Code(Response.SILENT, "a null key, or an empty list item, is dropped"),
    "text_after_document": Code(Response.SILENT, "what follows the first document is ignored"),
    "unknown_entry_field": Code(
        Response.SILENT, "an entry has `value` and `constraints`; another field is dropped"
    ),
    "unknown_field": Code(Response.SILENT, "the setting's type has no such field; it is dropped"),
    "field_twice": Code(Response.SILENT, "fields differ only in case; one of them wins at random"),
    "null_value": Code(Response.SILENT, "a null value sets nothing"),
    "default_used": Code(Response.SILENT, "the value does not convert; the default is used"),
    "entry_dropped": Code(Response.SILENT, "an item of the value is unusable and dropped"),
    "int_overflow": Code(Response.SILENT, "an int is too large for the setting and wraps around"),
    "fraction_cut": Code(Response.SILENT, "an int field loses the fraction it is given"),
    "duration_overflow": Code(Response.SILENT, "seconds overflow an int64 of nanoseconds"),
    "not_finite": Code(Response.SILENT, "NaN or infinity is taken as a number"),
    "constraint_twice": Code(Response.SILENT, "a constraint is given in two spellings"),
    "constraint_wraps": Code(Response.SILENT, "a constraint's int is too large and wraps around"),
    "constraint_is_zero": Code(Response.SILENT, "a zero value is the same as no constraint"),
    "no_such_task_type": Code(Response.SILENT, "no task type has this number"),
    "never_matches": Code(Response.SILENT, "no lookup asks for this combination of constraints"),
    "shadowed_entry": Code(Response.SILENT, "an earlier entry has the same constraints and wins"),
    "server_default": Code(Response.AS_WRITTEN, "the value is the server's default anyway"),
}


_WARNINGS: Final = (Response.UNREGISTERED, Response.INVALID, Response.OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a server says about a file: whether it refuses it, and what it warns of.

    `warned` counts warnings by their kind and lower-cased key; it is None when the file could not
    be decoded, because then nothing else is looked at.
    """

    refused: bool
    warned: Counter[tuple[Response, str]] | None


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The server's answer that findings foretell."""
    said = [(CODES[f.code].response, f.key) for f in findings]
    answers = {response for response, _key in said}
    if Response.REFUSES in answers:
        return Verdict(refused=True, warned=None)
    warned = Counter((r, go_lower(key)) for r, key in said if r in _WARNINGS)
    return Verdict(refused=Response.REJECTS in answers, warned=warned)
