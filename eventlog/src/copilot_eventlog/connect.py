"""The connection pool: how connections are opened, how long they live, how they are given back.

Theory of operation. asyncpg's pool knows an idle time but no age, and resets a connection with
statements that DSQL refuses (advisory unlock, UNLISTEN). So `init` notes when a connection has to
end, each with its own jitter so that a process does not reconnect all at once (DSQL admits 100 new
connections per second), and `reset`, which takes the place of those statements, ends the ones whose
time has come. Every connection in use passes `reset` between two units, and the idle time ends the
others, so none comes near the 60 minutes after which DSQL hangs up.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

import asyncpg

from copilot_eventlog.settings import EventLogSettings, LogAuth, LogTls
from copilot_eventlog.statements import Dialect

IDLE_S: Final = 300.0
JITTER: Final = 0.15
"""A connection lives between 85 % and 100 % of the lifetime that was set."""


class Expiry:
    """Ends connections that have reached their age, at the moment they are given back.

    `lifetime_s` is the longest age; `clock` is a monotonic clock in seconds.
    """

    def __init__(self, lifetime_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._ends: WeakKeyDictionary[asyncpg.Connection, float] = WeakKeyDictionary()

    async def opened(self, con: asyncpg.Connection) -> None:
        """The pool opened a connection (`init=`)."""
        self._ends[con] = self._clock() + self._lifetime_s * (1.0 - random.uniform(0.0, JITTER))

    async def given_back(self, con: asyncpg.Connection) -> None:
        """The pool got a connection back (`reset=`); nothing is sent, an old one is ended."""
        if self._clock() >= self._ends[con]:
            con.terminate()


async def open_pool(
    settings: EventLogSettings,
    *,
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
    clock: Callable[[], float] = time.monotonic,
) -> asyncpg.Pool:
    """A pool for the log's database. Opens no connection yet, so it does not fail when it is away.

    `connection_class` lets tests put a stricter connection in; `clock` ages the connections.
    """
    expiry = Expiry(settings.log_connection_lifetime_s, clock=clock)
    options: dict[str, object] = {}
    if settings.log_auth is LogAuth.IAM:
        # Here and not above: botocore is a tenth of a worker's start, and a start is a recovery.
        from copilot_eventlog.iam import TokenSigner

        options["password"] = TokenSigner(
            host=settings.host, user=settings.user, region=settings.log_region or ""
        )
    session = {"application_name": "temporal-sre-copilot"}
    if settings.dialect is Dialect.POSTGRES:
        # DSQL knows no other level; PostgreSQL is told to behave the same.
        session["default_transaction_isolation"] = "repeatable read"
    return await asyncpg.create_pool(
        settings.log_dsn.get_secret_value(),
        min_size=0,
        max_size=settings.log_pool_size,
        max_inactive_connection_lifetime=IDLE_S,
        timeout=settings.log_connect_timeout_s,
        command_timeout=settings.log_command_timeout_s,
        connection_class=connection_class,
        init=expiry.opened,
        reset=expiry.given_back,
        ssl=tls_context(settings),
        server_settings=session,
        **options,
    )


def tls_context(settings: EventLogSettings) -> ssl.SSLContext | bool:
    """How asyncpg is to encrypt; False for not at all."""
    if settings.tls is LogTls.DISABLE:
        return False
    context = ssl.create_default_context(cafile=settings.log_tls_ca_file)
    if settings.tls is LogTls.REQUIRE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
