"""What a database error means for the caller: one table, one function.

Theory of operation. Errors are told apart by SQLSTATE, never by their sentence, which is localised
and changes between versions. A *passing* failure may go away when the whole unit is done again; the
others are final. `translate` turns what is left after the retries into one of our own errors.

    40001, OC000, OC001   DSQL and REPEATABLE READ: somebody else committed first; OC001 (the
                          catalog changed) hits reads too
    53300, 53400, 57P03   too many connections, or the cluster is waking up
    08…, EOF, time-out    the connection is gone; if it went at COMMIT, nobody knows the outcome
    54000                 the transaction is larger than DSQL takes
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

import asyncpg

from copilot_core.errors import Conflict, CopilotError, Defect, Rejected, Unavailable


class TransactionTooLarge(Defect):
    """The transaction exceeds 3,000 rows, 10 MiB or 300 s: halve the batch."""


class Unsupported(Defect):
    """The database refuses this kind of statement: say it in another way."""


DATABASE_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""All that a unit of database work can raise; time-outs are `OSError`s, TLS failures too."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a failure means: the error it becomes, whether it may pass, and the next step."""

    error: type[CopilotError]
    passing: bool
    what: str
    todo: str = ""


_LOST: Final = Meaning(
    Unavailable, True, "the connection to the database was lost", "see whether the database is up"
)
_BUSY: Final = Meaning(
    Unavailable,
    True,
    "other transactions kept committing first",
    "see who else writes to the same rows",
)
_FULL: Final = Meaning(
    Unavailable,
    True,
    "the database takes no more connections now",
    "lower COPILOT_LOG_POOL_SIZE or raise the database's limit",
)
_STARTING: Final = Meaning(
    Unavailable, True, "the database is starting or stopping", "wait until it is up"
)
_REFUSED: Final = Meaning(
    Unavailable,
    True,
    "the database refused the login",
    "check user and password in COPILOT_LOG_DSN, or the IAM role's dsql:DbConnect permission",
)
_INTERNAL: Final = Meaning(
    Unavailable, True, "the database reports a fault of its own", "see the database's log"
)
_CHANGED: Final = Meaning(
    Unavailable, True, "a table changed under a prepared statement", "see who alters tables"
)
_UNKNOWN: Final = Meaning(Defect, False, "the database refused a statement")

MEANINGS: Final[dict[str, Meaning]] = {
    "40001": _BUSY,
    "40P01": _BUSY,
    "OC000": _BUSY,
    "OC001": _BUSY,
    "53300": _FULL,
    "53400": _FULL,
    "57P01": _STARTING,
    "57P02": _STARTING,
    "57P03": _STARTING,
    "57014": Meaning(
        Unavailable, True, "the statement was cancelled", "raise COPILOT_LOG_COMMAND_TIMEOUT_S"
    ),
    "25006": Meaning(
        Unavailable, True, "the database is read-only now", "see whether it failed over"
    ),
    "54000": Meaning(
        TransactionTooLarge,
        False,
        "the transaction is larger than the database takes (3,000 rows, 10 MiB, 300 s)",
        "halve the batch",
    ),
    "0A000": Meaning(Unsupported, False, "the database does not support a statement"),
    "23505": Meaning(Conflict, False, "a row with this key exists already", "reload, decide again"),
    "3D000": Meaning(
        Rejected, False, "the database does not exist", "create it, or correct COPILOT_LOG_DSN"
    ),
    "42P01": Meaning(Defect, False, "a table is missing", "run: copilot db apply"),
    "42703": Meaning(Defect, False, "a column is missing", "run: copilot db check"),
    "42501": Meaning(
        Defect, False, "the role may not do this", "grant it the tables of copilot db check"
    ),
}
"""Meaning of a SQLSTATE; a code that is not here is looked up by its class below."""

CLASSES: Final[dict[str, Meaning]] = {
    "08": _LOST,
    "28": _REFUSED,
    "40": _BUSY,
    "53": _INTERNAL,
    "57": _STARTING,
    "58": _INTERNAL,
    "XX": _INTERNAL,
}
"""Meaning of a class of SQLSTATEs, by its first two characters."""


def sqlstate_of(error: BaseException) -> str:
    """The five characters by which a database names its error; empty for any other error."""
    return getattr(error, "sqlstate", None) or ""


def meaning_of(error: BaseException) -> Meaning:
    """What a database error means; anything not foreseen is a defect of ours."""
    match error:
        case asyncpg.InvalidCachedStatementError():
            return _CHANGED  # has the SQLSTATE of an unsupported feature, and is none
        case asyncpg.PostgresError():
            state = sqlstate_of(error)
            return MEANINGS.get(state) or CLASSES.get(state[:2], _UNKNOWN)
        case ssl.SSLError():
            return Meaning(
                Unavailable,
                True,
                "TLS with the database failed",
                "check COPILOT_LOG_TLS and COPILOT_LOG_TLS_CA_FILE",
            )
        case TimeoutError():
            return Meaning(Unavailable, True, "the database did not answer in time", _LOST.todo)
        case OSError():
            return _LOST
        case _:
            return _UNKNOWN


def passing(error: BaseException) -> bool:
    """True when doing the whole unit again may succeed."""
    return isinstance(error, DATABASE_ERRORS) and meaning_of(error).passing


def translate(error: BaseException, *, where: str) -> CopilotError:
    """The error of ours that a database error becomes; the original is quoted in it.

    `where` says what was being done (`append to shard 3`).
    """
    meaning = meaning_of(error)
    state = sqlstate_of(error)
    detail = f"{state}: {error}" if state else f"{type(error).__name__}: {error}"
    return meaning.error(f"{meaning.what} ({detail})", where=where, todo=meaning.todo)
