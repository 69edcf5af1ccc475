"""What database errors become, and which of them are worth another try."""

from __future__ import annotations

import ssl

import asyncpg
import pytest

from copilot_core.errors import Conflict, CopilotError, Defect, Rejected, Unavailable
from copilot_eventlog.failures import (
    CLASSES,
    MEANINGS,
    TransactionTooLarge,
    Unsupported,
    passing,
    translate,
)


def from_server(sqlstate: str) -> asyncpg.PostgresError:
    """An error as asyncpg makes it from the server's answer."""
    return asyncpg.PostgresError.new({"S": "ERROR", "C": sqlstate, "M": "as the server puts it"})


BECOMES: dict[str, tuple[type[CopilotError], bool]] = {
    "40001": (Unavailable, True),
    "40P01": (Unavailable, True),
    "OC000": (Unavailable, True),
    "OC001": (Unavailable, True),
    "53300": (Unavailable, True),
    "53400": (Unavailable, True),
    "57P01": (Unavailable, True),
    "57P03": (Unavailable, True),
    "08006": (Unavailable, True),
    "28000": (Unavailable, True),
    "28P01": (Unavailable, True),
    "57014": (Unavailable, True),
    "25006": (Unavailable, True),
    "58030": (Unavailable, True),
    "XX000": (Unavailable, True),
    "54000": (TransactionTooLarge, False),
    "0A000": (Unsupported, False),
    "23505": (Conflict, False),
    "3D000": (Rejected, False),
    "42P01": (Defect, False),
    "42501": (Defect, False),
    "42601": (Defect, False),
    "22P02": (Defect, False),
}
"""SQLSTATE to our error, and whether the unit is tried again."""


@pytest.mark.parametrize("sqlstate", BECOMES)
def test_by_sqlstate(sqlstate: str) -> None:
    """A SQLSTATE alone decides what the error becomes and whether it may pass."""
    error = from_server(sqlstate)
    kind, again = BECOMES[sqlstate]
    assert type(translate(error, where="append to shard 3")) is kind
    assert passing(error) is again


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset by peer"),
        ConnectionRefusedError("refused"),
        TimeoutError(),
        ssl.SSLCertVerificationError("self-signed"),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
    ],
)
def test_losing_the_connection_may_pass(error: Exception) -> None:
    """Whatever way a connection is lost or not had, the unit is tried again."""
    assert passing(error)
    assert type(translate(error, where="x")) is Unavailable


def test_what_we_did_wrong_does_not_pass() -> None:
    """A misuse of the driver is a defect, at once."""
    for error in (asyncpg.InterfaceError("busy"), asyncpg.InternalClientError("?")):
        assert not passing(error)
        assert type(translate(error, where="x")) is Defect


def test_foreign_errors_are_not_retried() -> None:
    """An error that is not the database's is none of our business."""
    assert not passing(ValueError("x"))
    assert not passing(Conflict("x"))


def test_an_error_tells_what_where_and_what_to_do() -> None:
    """The translated error names the work, quotes code and sentence, and says the next step."""
    error = translate(from_server("42P01"), where="append to shard 3")
    assert str(error) == (
        "a table is missing (42P01: as the server puts it) — append to shard 3"
        " — run: copilot db apply"
    )


def test_every_meaning_is_complete() -> None:
    """Each row of the tables says what happened; each that a human must act on says how."""
    for meaning in (*MEANINGS.values(), *CLASSES.values()):
        assert meaning.what
        assert meaning.todo or issubclass(meaning.error, Unsupported)
