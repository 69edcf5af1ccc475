"""The words for signals, quantities, signs and log patterns: what a text may call them.

The phrase of `copilot_core.words.phrases` comes first; beside it stand the name itself, its parts,
and a few words that people use.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from copilot_core.logpatterns import PATTERNS_BY_ID
from copilot_core.signs import SIGN
from copilot_core.words.phrases import phrase

_MORE: Final[Mapping[str, str]] = MappingProxyType(
    {
        # words that people use for a signal beside its phrase
        "waiting_s": "oldest waiting work waits task tasks for",
        "queue_wait_s": "oldest waiting task waits tasks in queue",
        "workflow_backlog_age_s": "oldest workflow tasks waits backlog matching queue worker",
        "activity_backlog_age_s": "oldest activity tasks activities waits backlog matching queue",
        "history_backlog_age_s": "history queues behind oldest backlog queue lag tasks",
        "demand_per_s": "demand starts workflows started asked",
        "first_steps_per_s": "workflow tasks progress completions of workflow tasks",
        "closings_per_s": "workflows closings closing ending",
        "completions_per_s": "successful closings completed completions success",
        "completion_ratio": "successes of closings closed workflows successfully",
        "frontend_error_ratio": "frontend calls refused failed failing error errors refuses",
        "persistence_error_ratio": "database calls failed failing error errors",
        "worker_processes": "workers reporting reported report polling alive",
        "frontend_processes": "frontend report reporting alive",
        "history_processes": "history report reporting alive",
        "matching_processes": "matching report reporting alive",
        "silent_roles": "roles silent do not report",
        "remaining_ratio": "work still done counted fell remaining progress of what was usual",
        "no_poller_tasks_per_s": "tasks queues nobody polls poller pollers unpolled",
        "persistence_p99_ms": "database p99 latency answer took taking",
        "persistence_p95_ms": "database p95 latency answer took taking",
        "transition_p99_ms": "workflow changes changing p99 latency took takes taking transitions",
        "frontend_p99_ms": "frontend p99 latency answer answers took takes taking calls",
        "activity_slots_free": "activity slots available free workers",
        "workflow_slots_free": "workflow task slots available free workers",
    }
)  # fmt: skip


def names(signal: str) -> tuple[str, ...]:
    """The phrase of a signal, and its own name as a word and in words."""
    sign = SIGN.get(signal)
    name = sign.signal if sign else signal
    own = name.rsplit("_per_", 1)[0]
    for unit in ("_s", "_ms", "_ratio", "_pct"):
        own = own.removesuffix(unit)
    return (phrase(name), name, own.replace("_", " "))


def about(signal: str) -> str:
    """What a signal, a quantity or a sign is about."""
    sign = SIGN.get(signal)
    return f"signal:{sign.signal if sign else signal}"


def more_words(signal: str) -> tuple[str, ...]:
    """Words that may be used for a signal beside its names."""
    sign = SIGN.get(signal)
    name = sign.signal if sign else signal
    found = [_MORE[name]] if name in _MORE else []
    if name.startswith("log:"):
        service, _, pattern = name.removeprefix("log:").partition("/")
        found += [f"log logs lines line in of {service if service != '*' else ''}"]
        found += [pattern.replace("_", " "), pattern]
    return tuple(found)


def log_meaning(signal: str) -> tuple[str, ...]:
    """What the lines of a log pattern tell; nothing for other signals."""
    pattern = PATTERNS_BY_ID.get(signal.partition("/")[2])
    return (pattern.meaning,) if signal.startswith("log:") and pattern else ()
