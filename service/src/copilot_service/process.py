"""One process: starts, is watched, stops cleanly, and ends with an exit code that says why.

Theory of operation. `Service.run` owns the event loop. It starts the HTTP answers and the guard,
then awaits the process's own main function. There are four ways out:

    main returns                                     0
    main raises a CopilotError                       the error's exit code; the line says what to do
    main raises anything else                        70, with the traceback
    nothing moved for no_progress_exit_s             75, with the stacks of all threads

SIGTERM and SIGINT set `stopping`; main then has `stop_timeout_s` to return before it is cancelled.
The guard is a thread, because an event loop that hangs cannot watch itself: when a cancelled main
does not end either, the thread ends the process. Nothing is lost by that, since every part of the
line is built to be killed.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from copilot_core.errors import CopilotError, Defect, Rejected, Unavailable
from copilot_service.http import serving
from copilot_service.logs import configure_logs
from copilot_service.settings import ServiceSettings, read_settings
from copilot_service.vital_signs import VitalSigns

Main = Callable[["Service"], Awaitable[None]]
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)

GUARD_PERIOD_S: Final = 0.25
CANCEL_GRACE_S: Final = 3.0
"""After cancellation a coroutine only has to clean up; what takes longer is stuck."""

log = structlog.get_logger(__name__)


class Service:
    """What a process has in hand while it runs.

    `registry` holds the process's own metrics; `stopping` is set when the process should end.
    """

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = asyncio.Event()
        self.signs = VitalSigns(limit_s=settings.no_progress_exit_s)
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.unexpected = Counter(
            "copilot_unexpected_errors_total",
            "Errors nobody expected, by place",
            ["place"],
            registry=self.registry,
        )
        still = Gauge(
            "copilot_seconds_since_progress",
            "Seconds since something last moved",
            registry=self.registry,
        )
        still.set_function(self.signs.still_for_s)
        self._ready = Gauge(
            "copilot_ready",
            "1 when the named condition holds",
            ["condition"],
            registry=self.registry,
        )

    def progress(self) -> None:
        """Something moved, or there is provably nothing to do; call it at least once per period."""
        self.signs.progress()

    def set_ready(self, condition: str, holds: bool, *, why: str = "") -> None:
        """Note whether a named condition of readiness holds; a change is logged with its reason."""
        before = self.signs.conditions.get(condition)
        if before is None or before.holds is not holds:
            log.info("ready" if holds else "not ready", condition=condition, why=why)
        self.signs.set_ready(condition, holds, why=why)
        self._ready.labels(condition).set(holds)

    async def until_stopped(self, *parts: Coroutine[Any, Any, None]) -> None:
        """Run parts that never end by themselves, until one fails or the process should stop.

        Then the others are cancelled. A failure is raised inside an exception group.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
            await self.stopping.wait()
            for task in tasks:
                task.cancel()

    def run(self, main: Main) -> int:
        """Run the process from start to end; returns its exit code."""
        settings = self.settings
        configure_logs(self.name, level=settings.log_level, format_=settings.log_format)
        with asyncio.Runner() as runner:
            code = runner.run(self.serve(main))
            leave = threading.Timer(CANCEL_GRACE_S, os._exit, (code,))
            leave.daemon = True
            leave.start()  # closing the loop waits for its threads; a hanging one must not hold us
        leave.cancel()
        return code

    async def serve(self, main: Main) -> int:
        """As `run`, inside a loop that exists; logs are the caller's concern."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._stop, sign.name)
        guard = _Guard(self, loop)
        try:
            return await self._guarded(main, guard)
        finally:
            guard.end()
            for sign in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(sign)

    def _stop(self, why: str) -> None:
        if not self.stopping.is_set():
            log.info("stopping", why=why, within_s=self.settings.stop_timeout_s)
        self.stopping.set()

    async def _guarded(self, main: Main, guard: _Guard) -> int:
        settings = self.settings
        try:
            async with serving(
                self.name,
                self.signs,
                self.registry,
                host=settings.service_host,
                port=settings.service_port,
                stopping=self.stopping.is_set,
            ):
                self.progress()
                log.info("started", pid=os.getpid())
                await self._bounded(main, guard)
        except BaseExceptionGroup as group:
            return self._ended_by(first_error(group))
        except Exception as e:  # noqa: BLE001 - the process boundary
            return self._ended_by(e)
        log.info("stopped", exit_code=0)
        return 0

    async def _bounded(self, main: Main, guard: _Guard) -> None:
        """Await main; cancel it when it stands still, or when it outlives a stop request."""
        task = asyncio.ensure_future(main(self))
        stop = asyncio.ensure_future(self.stopping.wait())
        guard.watch(task)
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait({task}, timeout=self.settings.stop_timeout_s)
            if not task.done():
                took = self.settings.stop_timeout_s
                guard.give_up(Defect(f"did not stop within {took:g} s", where=self.name))
                await asyncio.wait({task})
            if task.cancelled():
                raise guard.reason or Defect("main was cancelled by nobody known", where=self.name)
            task.result()
            if guard.reason:
                raise guard.reason
        finally:
            stop.cancel()
            task.cancel()

    def _ended_by(self, error: BaseException) -> int:
        if isinstance(error, CopilotError):
            log.error(
                "stopped by an error",
                kind=type(error).__name__,
                what=error.what,
                where=error.where,
                todo=error.todo,
                exit_code=error.exit_code,
            )
            return error.exit_code
        self.unexpected.labels("main").inc()
        log.error("stopped by an unexpected error", exit_code=Defect.exit_code, exc_info=error)
        return Defect.exit_code


def run_process(
    name: str,
    settings_class: type[SettingsT],
    main: Callable[[Service, SettingsT], Awaitable[None]],
) -> int:
    """Read the settings, run a process with them, and return its exit code."""
    try:
        settings = read_settings(settings_class)
    except Rejected as e:
        configure_logs(name)
        refusal = e
    else:
        return Service(name, settings).run(lambda service: main(service, settings))
    log.error("cannot start", findings=refusal.findings, where=refusal.where, todo=refusal.todo)
    return refusal.exit_code


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a task group that says why: a named one before any other."""
    leaves: list[BaseException] = []
    stack: list[BaseException] = [group]
    while stack:
        error = stack.pop(0)
        if isinstance(error, BaseExceptionGroup):
            stack.extend(error.exceptions)
        else:
            leaves.append(error)
    named = [error for error in leaves if isinstance(error, CopilotError)]
    return (named or leaves)[0]


class _Guard:
    """A thread that ends what no longer moves: first by cancelling, then by leaving."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self._service = service
        self._loop = loop
        self._ended = threading.Event()
        self._task: asyncio.Future[None] | None = None
        self.reason: CopilotError | None = None
        threading.Thread(target=self._run, name="guard", daemon=True).start()

    def watch(self, task: asyncio.Future[None]) -> None:
        """From now on, this is what is cancelled."""
        self._task = task

    def give_up(self, reason: CopilotError) -> None:
        """Cancel main for a reason; when it does not end soon, the process is left."""
        if self.reason is None:
            self.reason = reason
            if self._task is not None:
                self._task.cancel()

    def end(self) -> None:
        """The process ends by itself: the guard is no longer needed."""
        self._ended.set()

    def _run(self) -> None:
        while self.reason is None:
            if self._ended.wait(GUARD_PERIOD_S):
                return
            if self._service.signs.stuck():
                self._stuck()
                break
        if not self._ended.wait(CANCEL_GRACE_S):
            self._leave()

    def _stuck(self) -> None:
        signs = self._service.signs
        reason = Unavailable(
            f"nothing moved for {signs.still_for_s():.0f} s (limit {signs.limit_s:g} s)",
            where=self._service.name,
            todo=f"waiting for {signs.waiting_for() or 'no named condition'}; stacks are above",
        )
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
        self._loop.call_soon_threadsafe(self.give_up, reason)

    def _leave(self) -> None:
        reason = self.reason or Unavailable(
            "the event loop does not answer", where=self._service.name
        )
        log.error(
            "leaving without a clean end",
            what=reason.what,
            where=reason.where,
            exit_code=reason.exit_code,
        )
        sys.stderr.flush()
        os._exit(reason.exit_code)
