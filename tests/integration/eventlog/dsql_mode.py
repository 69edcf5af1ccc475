"""PostgreSQL in DSQL mode: it refuses what Aurora DSQL refuses, and fails in the same ways.

Theory of operation. `connection_class` gives a class for asyncpg's pool. Each statement passes one
door (`_through`) that refuses what DSQL refuses (`REFUSALS`, and what it counts per transaction),
wraps a lone statement in a transaction so that its COMMIT is a place of its own, and lets a
`Faults` schedule fail it:

    before a statement   53300 (the connection is refused), OC001 (the catalog changed)
    at COMMIT            40001, OC000 (somebody else committed first; nothing happened),
                         the connection lost before the server saw COMMIT, or after it had done it

A schedule is a seeded random one or a script; it never strikes more than `IN_A_ROW` times without a
transaction coming through in between, so that whoever retries as DSQL wants succeeds: give each log
its own. After a DDL every other connection gets OC001
once, as on DSQL.

What PostgreSQL can not imitate: conflicts show at a statement instead of at COMMIT, indexes exist
at once, and rows written inside a CTE count as one. `docs/dsql.md` lists what needs a real cluster.
"""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import Any, Final

import asyncpg

MAX_ROWS: Final = 3_000
MAX_BYTES: Final = 10 * 1024 * 1024
IN_A_ROW: Final = 3


class Fault(StrEnum):
    """What goes wrong. The first two strike before a statement, the others at COMMIT."""

    CATALOG_CHANGED = "OC001"
    TOO_MANY_CONNECTIONS = "53300"
    SERIALIZATION = "40001"
    ROW_CONFLICT = "OC000"
    LOST_BEFORE_COMMIT = "lost before commit"
    LOST_AFTER_COMMIT = "lost after commit"


AT_STATEMENT: Final = (Fault.CATALOG_CHANGED, Fault.TOO_MANY_CONNECTIONS)
AT_COMMIT: Final = (
    Fault.SERIALIZATION,
    Fault.ROW_CONFLICT,
    Fault.LOST_BEFORE_COMMIT,
    Fault.LOST_AFTER_COMMIT,
)


class Faults:
    """When which fault strikes: what was scripted, in order, else by chance with the given rate.

    The same seed and the same statements give the same faults. `struck` counts them.
    """

    def __init__(self, *, seed: int = 0, rate: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._script: deque[Fault] = deque()
        self._in_a_row = 0
        self.catalog_version = 0
        self.struck: Counter[Fault] = Counter()

    def script(self, faults: Iterable[Fault]) -> None:
        """Strike with these, each at the next place where it can, before chance goes on."""
        self._script.extend(faults)

    def reseed(self, seed: int) -> None:
        """Begin the random part of the schedule again, from another seed."""
        self._random = random.Random(seed)
        self._in_a_row = 0

    def next(self, possible: tuple[Fault, ...]) -> Fault | None:
        """The fault that strikes here, if one does."""
        fault: Fault | None = None
        if self._script:
            if self._script[0] in possible:
                fault = self._script.popleft()
        elif self._rate and self._in_a_row < IN_A_ROW and self._random.random() < self._rate:
            fault = self._random.choice(possible)
        if fault:
            self._in_a_row += 1
            self.struck[fault] += 1
        return fault

    def passed(self) -> None:
        """A transaction came through."""
        self._in_a_row = 0


REFUSALS: Final[tuple[tuple[str, str], ...]] = (
    ("savepoint", r"^(SAVEPOINT|RELEASE|ROLLBACK TO)\b"),
    ("LISTEN and NOTIFY", r"^(LISTEN|NOTIFY|UNLISTEN)\b|\bPG_NOTIFY\b"),
    ("advisory lock", r"\bPG_(TRY_)?ADVISORY_\w+"),
    ("LOCK TABLE", r"^LOCK\b"),
    ("TRUNCATE", r"^TRUNCATE\b"),
    ("MERGE", r"\bMERGE INTO\b"),
    ("COPY", r"^COPY\b"),
    ("VACUUM", r"^VACUUM\b"),
    ("session reset", r"^(CLOSE ALL|DISCARD|RESET ALL)\b"),
    ("temporary or unlogged table", r"^CREATE (GLOBAL |LOCAL )?(TEMP|TEMPORARY|UNLOGGED)\b"),
    ("array column", r"^(CREATE|ALTER) TABLE\b.*(\[\d*\]|\bARRAY\b)"),
    ("serial column", r"^(CREATE|ALTER) TABLE\b.*\b(SMALL|BIG)?SERIAL\b"),
    ("money column", r"^(CREATE|ALTER) TABLE\b.*\bMONEY\b"),
    ("foreign key", r"^(CREATE|ALTER) TABLE\b.*\b(FOREIGN KEY|REFERENCES)\b"),
    ("partition", r"^CREATE TABLE\b.*\bPARTITION (BY|OF)\b"),
    ("inheritance", r"^CREATE TABLE\b.*\bINHERITS\b"),
    ("added column with a default", r"^ALTER TABLE\b.*\bADD\b.*\b(DEFAULT|NOT NULL)\b"),
    ("index that is not built with ASYNC", r"^CREATE (UNIQUE )?INDEX (?!ASYNC\b)"),
    ("descending index key", r"^CREATE (UNIQUE )?INDEX\b.*\bDESC\b"),
    ("user-defined type", r"^CREATE (TYPE|DOMAIN)\b"),
    ("trigger or rule", r"^CREATE (OR REPLACE )?(CONSTRAINT )?(TRIGGER|RULE)\b"),
    ("PL/pgSQL", r"^DO\b|\bLANGUAGE PLPGSQL\b"),
    ("extension", r"^CREATE EXTENSION\b"),
    ("materialized view", r"^CREATE MATERIALIZED\b"),
    ("tablespace", r"\bTABLESPACE\b"),
    ("sequence without CACHE", r"^CREATE SEQUENCE\b(?!.*\bCACHE\b)"),
    ("isolation level", r"\bISOLATION LEVEL (?!REPEATABLE READ\b)"),
)
"""What it is called, and the pattern that finds it in a statement without comments and strings.
jsonb columns are not here: DSQL has had them since 2026."""

_REFUSALS: Final = [(what, re.compile(pattern)) for what, pattern in REFUSALS]
_WRITING_CTE: Final = re.compile(r"^WITH\b.*\b(INSERT INTO|UPDATE|DELETE FROM)\b")
_DDL: Final = re.compile(r"^(CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT)\b")
_DML: Final = re.compile(r"^(INSERT|UPDATE|DELETE)\b|" + _WRITING_CTE.pattern)


def normal(sql: str) -> str:
    """A statement in capitals and single spaces, without comments and without what strings say."""
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"'[^']*'", "''", sql)).strip().rstrip(";").upper()


def refusal(sql: str) -> str | None:
    """What DSQL would refuse in a statement, or None."""
    text = normal(sql)
    return next((what for what, pattern in _REFUSALS if pattern.search(text)), None)


def _error(sqlstate: str, message: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"S": "ERROR", "C": sqlstate, "M": message})


class _Transaction:
    """What one transaction has done so far."""

    def __init__(self) -> None:
        self.ddl = self.rows = self.bytes = 0
        self.wrote = False


class DsqlConnection(asyncpg.Connection):
    """A connection with DSQL's refusals and faults; see `connection_class`."""

    faults: Faults
    writing_cte = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen_catalog = self.faults.catalog_version
        self._open: _Transaction | None = None

    async def execute(
        self,
        query: str,
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - asyncpg's signature
    ) -> str:
        if args:
            return await super().execute(query, *args, timeout=timeout)
        plain = super().execute

        async def run() -> tuple[str, str]:
            status = await plain(re.sub(r"\bINDEX ASYNC\b", "INDEX", query), timeout=timeout)
            return status, status

        return await self._through(query, (), run)

    async def _execute(
        self,
        query: str,
        args: Any,
        limit: int,
        timeout: float | None,  # noqa: ASYNC109 - asyncpg's signature
        *,
        return_status: bool = False,
        **kwargs: Any,
    ) -> Any:
        inherited = super()._execute

        async def run() -> tuple[Any, str]:
            answer = await inherited(query, args, limit, timeout, return_status=True, **kwargs)
            status = answer[1].decode() if answer[1] else f"ROWS {len(answer[0])}"
            return (answer if return_status else answer[0]), status

        return await self._through(query, args, run)

    async def _executemany(
        self,
        query: str,
        args: Any,
        timeout: float | None,  # noqa: ASYNC109 - asyncpg's signature
        return_rows: bool = False,
        record_class: Any = None,
    ) -> Any:
        inherited, batch = super()._executemany, list(args)

        async def run() -> tuple[Any, str]:
            answer = await inherited(query, batch, timeout, return_rows, record_class)
            return answer, f"INSERT 0 {len(batch)}"

        return await self._through(query, batch, run)

    async def prepare(self, query: str, **kwargs: Any) -> Any:
        self._refuse(query)
        return await super().prepare(query, **kwargs)

    async def _copy_in(self, *args: Any, **kwargs: Any) -> Any:
        raise _error("0A000", "COPY is not supported")

    async def copy_records_to_table(self, *args: Any, **kwargs: Any) -> Any:
        raise _error("0A000", "COPY is not supported")

    async def _copy_out(self, *args: Any, **kwargs: Any) -> Any:
        raise _error("0A000", "COPY is not supported")

    async def _through(
        self, query: str, args: Any, run: Callable[[], Awaitable[tuple[Any, str]]]
    ) -> Any:
        text = normal(query)
        self._refuse(query)
        if text.startswith(("BEGIN", "START TRANSACTION")):
            answer = await self._control("BEGIN ISOLATION LEVEL REPEATABLE READ")
            self._open = _Transaction()
            return answer
        if text == "COMMIT":
            return await self._commit()
        if text == "ROLLBACK":
            self._open = None
            return await self._control("ROLLBACK")
        self._strike()
        if self._open is not None:
            return await self._inside(text, args, run)
        if _DDL.match(text):
            answer, _ = await run()
            self._catalog_changed()
            return answer
        return await self._alone(text, args, run)

    async def _alone(self, text: str, args: Any, run: Any) -> Any:
        await self._control("BEGIN ISOLATION LEVEL REPEATABLE READ")
        self._open = _Transaction()
        try:
            answer = await self._inside(text, args, run)
        except BaseException:
            self._open = None
            if not self.is_closed():
                await self._control("ROLLBACK")
            raise
        await self._commit()
        return answer

    async def _inside(self, text: str, args: Any, run: Any) -> Any:
        now = self._open
        assert now is not None
        ddl, dml = bool(_DDL.match(text)), bool(_DML.search(text))
        if (ddl and (now.ddl or now.wrote)) or (dml and now.ddl):
            raise _error("0A000", "one DDL per transaction, and no DML beside it")
        now.ddl += ddl
        now.bytes += _size(args) if dml else 0
        answer, status = await run()
        now.wrote = now.wrote or dml
        if dml:
            now.rows += int(status.split()[-1]) if status[-1:].isdigit() else 0
            now.rows += bool(_WRITING_CTE.search(text))
        if now.rows > MAX_ROWS or now.bytes > MAX_BYTES:
            raise _error("54000", "transaction row or size limit exceeded")
        return answer

    async def _commit(self) -> str:
        now, self._open = self._open, None
        fault = self.faults.next(AT_COMMIT) if now and now.wrote else None
        if fault in (Fault.SERIALIZATION, Fault.ROW_CONFLICT):
            await self._control("ROLLBACK")
            raise _error(fault.value, f"injected: {fault.name}")
        if fault is not Fault.LOST_BEFORE_COMMIT:
            await self._control("COMMIT")
        if fault is not None:
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")
        self.faults.passed()
        if now and now.ddl:
            self._catalog_changed()
        return "COMMIT"

    def _refuse(self, query: str) -> None:
        what = refusal(query)
        if what is None and not self.writing_cte and _WRITING_CTE.search(normal(query)):
            what = "writing CTE"
        if what is not None:
            raise _error("0A000", f"{what} is not supported")

    def _strike(self) -> None:
        fault = self.faults.next(AT_STATEMENT)
        if self._seen_catalog != self.faults.catalog_version:
            self._seen_catalog = self.faults.catalog_version
            fault = Fault.CATALOG_CHANGED
        if fault is Fault.TOO_MANY_CONNECTIONS:
            self.terminate()
        if fault is not None:
            raise _error(fault.value, f"injected: {fault.name}")

    def _catalog_changed(self) -> None:
        self.faults.catalog_version += 1
        self._seen_catalog = self.faults.catalog_version

    async def _control(self, statement: str) -> str:
        return await super().execute(statement)


def _size(args: Any) -> int:
    if isinstance(args, (str, bytes)):
        return len(args)
    if isinstance(args, (list, tuple)):
        return sum(map(_size, args))
    return 8


def connection_class(faults: Faults, *, writing_cte: bool = True) -> type[asyncpg.Connection]:
    """A connection class for `open_pool` or `asyncpg.create_pool`, failing by `faults`.

    With `writing_cte=False` statements that write inside `WITH` are refused too.
    """
    return type("Dsql", (DsqlConnection,), {"faults": faults, "writing_cte": writing_cte})
