"""`copilot run projector`: the process as its `main` builds it, over an outage and to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from copilot_core.errors import CopilotError, Rejected
from copilot_projections.builds import live_builds
from copilot_projections.main import project
from copilot_projections.reader import ViewReader
from copilot_projections.settings import ProjectorSettings
from copilot_projections.views import VIEWS, clusters
from copilot_service import Service, read_settings
from tests.infra.postgres import Postgres
from tests.integration.eventlog.databases import postgres_log
from tests.unit.projections.story import Book, Story


async def until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something to hold; a minute is far more than any of it takes."""
    for _ in range(600):
        try:
            if await holds():
                return
        except CopilotError:
            pass  # the store is away, or not built yet
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within a minute: {what}")


async def test_projector_waits_out_a_database_that_was_killed(own_postgres: Postgres) -> None:
    """While the database is away the process says so and stays; afterwards it takes in what was
    appended meanwhile, and it ends when it is asked to."""
    settings = ProjectorSettings.model_validate(
        {"log_dsn": own_postgres.dsn(), "no_progress_exit_s": 0, "log_connect_timeout_s": 1}
    )
    service = Service("projector", settings)
    book = Book()
    async with postgres_log(own_postgres.dsn()) as log:
        views = ViewReader(log.pool)

        async def shown(count: int) -> bool:
            return len(await clusters.page(views)) == count

        async def told(*names: str) -> None:
            before = len(book.new)
            for name in names:
                Story(name, book).sample()
            head = await log.take_over(0, writer="test", source="test")
            await log.append(head, book.new[before:], source_offset=0)

        async def away() -> bool:
            return "store" in service.signs.waiting_for()

        async def ready() -> bool:
            return service.signs.ready()

        await told("orders")
        running = asyncio.create_task(project(service, settings))
        await until(lambda: shown(1), "the first cluster is shown")
        assert set(await live_builds(log.pool)) == set(VIEWS)
        await asyncio.to_thread(own_postgres.kill)
        await until(away, "the process says that the store is away")
        assert not running.done()
        await asyncio.to_thread(own_postgres.start)
        await told("payments")
        await until(lambda: shown(2), "the second cluster is shown")
        await until(ready, "every view has caught up again")
    service.stopping.set()
    await asyncio.wait_for(running, timeout=20)


def test_settings_name_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong policy is refused before anything starts, by the name of its variable."""
    monkeypatch.setenv("COPILOT_LOG_DSN", "postgresql://localhost/copilot")
    monkeypatch.setenv("COPILOT_VIEWS_ON_POISON", "ignore")
    with pytest.raises(Rejected, match="COPILOT_VIEWS_ON_POISON"):
        read_settings(ProjectorSettings)
    monkeypatch.setenv("COPILOT_VIEWS_ON_POISON", "pause")
    assert read_settings(ProjectorSettings).views_on_poison == "pause"
