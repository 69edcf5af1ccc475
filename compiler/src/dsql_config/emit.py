"""Telling the log that a cluster is configured anew.

Theory of operation. The compiler has no database. What it needs of one is a port, `ConfigLog`: the
last change of a cluster's configuration, and the next one put behind it. Another package brings it
and names its door as an entry point of the group `dsql_config.config_log`; opening that door is a
context manager.

    last      what was emitted for this cluster before
    compare   the same fingerprint is the same configuration: no event
    append    the next version, with the difference from the last one

Who reads the same last event and appends second gets a `Conflict`: the difference it would have
written down is no longer the difference from what is in force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Protocol

from copilot_core.configuration import ConfigChange
from copilot_core.errors import Defect, Rejected, Unavailable
from copilot_core.events import ConfigChanged, RecordedEvent
from copilot_core.guarding.guard import Sink, guard
from copilot_core.samples import CLUSTER_ID
from copilot_core.signals import BY_NAME
from copilot_core.values import Scalar
from dsql_config.findings import blocking
from dsql_config.profile import Profile

GROUP: Final = "dsql_config.config_log"

_SHOWN: Final = 80
"""Characters of a wrong word that an error shows."""

Difference = Callable[[Mapping[str, Scalar] | None], tuple[ConfigChange, ...]]
"""What differs from former values, parameter to value; None when there were none."""


class ConfigLog(Protocol):
    """Where changes of configuration are kept, per cluster, in versions dense from 1.

    Both methods raise `Unavailable` when the log does not answer.
    """

    def last(self, cluster: str) -> RecordedEvent | None:
        """The newest change of a cluster's configuration, or None when there was none yet."""
        ...

    def append(self, cluster: str, event: ConfigChanged, *, version: int) -> RecordedEvent:
        """Record a change as version `version`; returns it as it is recorded.

        The same event twice is one event. Raises `Conflict` when the version is another event's.
        """
        ...


@dataclass(frozen=True, slots=True)
class Emitted:
    """A change was recorded: the event, and its place among the cluster's changes, from 1."""

    version: int
    event: ConfigChanged


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The configuration is in force already, since the change `event`: nothing was recorded."""

    version: int
    event: ConfigChanged


@contextmanager
def open_log() -> Generator[ConfigLog]:
    """The config log that is installed, closed at the end of the block.

    Raises `Unavailable` when none is installed, `Rejected` when several are, and whatever the door
    raises when it is not told where its log is.
    """
    doors = entry_points(group=GROUP)
    where = f"entry points of {GROUP}"
    if not doors:
        raise Unavailable(
            "no config log is installed",
            where=where,
            todo="install copilot-eventlog beside this package, or compile without --emit",
        )
    if len(doors) > 1:
        names = ", ".join(sorted(f"{door.name} = {door.value}" for door in doors))
        raise Rejected(
            f"several config logs are installed: {names}",
            where=where,
            todo="keep one",
            code="config_log",
        )
    (door,) = doors
    try:
        opened: Callable[[], AbstractContextManager[ConfigLog]] = door.load()
    except (ImportError, AttributeError) as e:
        raise Unavailable(
            f"the config log {door.name} cannot be loaded: {e}",
            where=where,
            todo="install what it needs, or compile without --emit",
        ) from e
    with opened() as log:
        yield log


def emit(
    log: ConfigLog,
    profile: Profile,
    *,
    cluster: str,
    at: int,
    author: str,
    reason: str,
    changes_between: Difference,
) -> Emitted | Unchanged:
    """Record that a cluster has this configuration from now on, unless it has it already.

    `at` is Unix seconds; `changes_between` tells what differs from the values emitted last. Raises
    `Rejected` (code `emit_input`) with every finding about the input, `Conflict` when somebody
    else emitted meanwhile, `Unavailable` when the log does not answer, `Defect` for a profile that
    must not be emitted or a difference that is not the one between the values.
    """
    _check_words(cluster=cluster, author=author, reason=reason)
    _check_profile(profile)
    recorded = log.last(cluster)
    former = _config_of(recorded) if recorded else None
    if recorded and former and former.fingerprint == profile.fingerprint:
        return Unchanged(recorded.version, former)
    changes = changes_between(former.values if former else None)
    if former:
        _check_difference(changes, former.values, profile.values)
    event = ConfigChanged(
        at=at,
        fingerprint=profile.fingerprint,
        previous_fingerprint=former.fingerprint if former else None,
        preset=profile.preset,
        modifier=profile.modifier,
        server_version=profile.server_version,
        compiler_version=profile.compiler_version,
        author=guard(author, Sink.EVENT),
        reason=guard(reason, Sink.EVENT),
        changes=changes,
        values=dict(profile.values),
        bounds=profile.bounds,
    )
    version = recorded.version + 1 if recorded else 1
    return Emitted(log.append(cluster, event, version=version).version, event)


def _config_of(recorded: RecordedEvent) -> ConfigChanged:
    event = recorded.decoded()
    if not isinstance(event, ConfigChanged):
        raise Defect(f"{recorded.stream}#{recorded.version} is a {recorded.type}")
    return event


def wrong_words(*, cluster: str, author: str, reason: str) -> dict[str, str]:
    """What is wrong with the words that go with a configuration, by argument; empty when nothing
    is. Whoever asks for them looks here before anything is written."""
    wrong = {}
    if not CLUSTER_ID.fullmatch(cluster):
        wrong["cluster"] = f"{cluster[:_SHOWN]!r} is no id of a cluster ({CLUSTER_ID.pattern})"
    wrong |= {
        name: f"{text[:_SHOWN]!r} is not one line of text"
        for name, text in (("author", author), ("reason", reason))
        if not text.strip() or not text.isprintable()
    }
    return wrong


def _check_words(*, cluster: str, author: str, reason: str) -> None:
    wrong = wrong_words(cluster=cluster, author=author, reason=reason)
    findings = tuple(f"{name}: {what}" for name, what in wrong.items())
    if findings:
        raise Rejected(
            findings[0],
            code="emit_input",
            findings=findings,
            todo="say which cluster it is for, who changes it, and why",
        )


def _check_profile(profile: Profile) -> None:
    if blocking(profile.findings):
        raise Defect("a profile with errors is never emitted", todo="show its findings instead")
    unknown = sorted({bound.signal for bound in profile.bounds} - BY_NAME.keys())
    if unknown:
        raise Defect(f"bounds of signals that there are not: {', '.join(unknown)}")


def _check_difference(
    changes: tuple[ConfigChange, ...], former: Mapping[str, Scalar], now: Mapping[str, Scalar]
) -> None:
    """The difference has to be the one between the values: later ones are composed from it."""
    told = [(c.parameter, _typed(c.before), _typed(c.after)) for c in changes]
    found = [
        (name, before, after)
        for name in former.keys() | now.keys()
        if (before := _typed(former.get(name))) != (after := _typed(now.get(name)))
    ]
    wrong = (Counter(told) - Counter(found)) + (Counter(found) - Counter(told))
    if wrong:
        names = ", ".join(sorted({name for name, _, _ in wrong}))
        raise Defect(f"the difference is not the one between the values: {names}")


def _typed(value: Scalar | None) -> tuple[str, Scalar | None]:
    """A value that equals only values of its own type: 1, 1.0 and True are equal in Python."""
    return type(value).__name__, value
