"""What the demo says: a timeline as it happens and a summary; with --json, JSON lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from copilot.demo.play import WEEK_S, Incident
from copilot.explained_rows import rows
from copilot.log_audit import Refold
from copilot.terminal import console, emit, note
from copilot.timeline import as_record, as_rows
from copilot.times import rfc3339_of
from copilot_core.events import IncidentReviewed, RecordedEvent, TransitionExplained

LAST_LINES: Final = 5


class Show:
    """Everything the demo prints. `events` counts the events shown so far."""

    def __init__(self, incident: Incident, *, as_json: bool) -> None:
        self._incident = incident
        self._as_json = as_json
        self._out = console()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._out,
            transient=True,
            disable=as_json or not self._out.is_terminal,
        )
        self._task = self._progress.add_task("slots", total=len(incident.samples))
        self.events = 0
        self._explained: list[TransitionExplained | IncidentReviewed] = []

    def starting(self) -> None:
        """The processes are about to start."""
        if self._incident.earlier_by_s:
            weeks = self._incident.earlier_by_s // WEEK_S
            note(f"copilot: this clock is behind the recording: played {weeks} week(s) earlier")
        self._say("starting database, broker, worker, explainer, relay, projector and API …")

    def started(self, url: str) -> None:
        """Everything answers."""
        first, last = self._incident.samples[0].slot, self._incident.samples[-1].slot
        self._say(
            f"playing {self._incident.cluster}, {rfc3339_of(first)} to {rfc3339_of(last)}, "
            f"through the line; the API is at {url}\n"
        )
        self._progress.start()

    def played(self, number: int, slot: int) -> None:
        """A slot was scraped and sent."""
        self._progress.update(self._task, completed=number, description=rfc3339_of(slot))

    def event(self, event: RecordedEvent) -> None:
        """An event came out of the public topic."""
        self.events += 1
        if event.type in (TransitionExplained.__name__, IncidentReviewed.__name__):
            told = event.decoded()
            assert isinstance(told, TransitionExplained | IncidentReviewed)
            self._explained.append(told)
        if self._as_json:
            emit(as_record(event))
        else:
            self._out.print(*as_rows(event), sep="\n")

    def result(
        self,
        status: Mapping[str, Any],
        incidents: Sequence[Mapping[str, Any]],
        proof: Refold,
        served_at: str | None,
    ) -> None:
        """What the read models say, the proof, and where to look."""
        self._progress.stop()
        if self._as_json:
            emit(proof.as_record())
            if served_at:
                note(f"copilot: the API is at {served_at}; Ctrl-C ends it")
            return
        self._say(f"\nAPI: {status['cluster']} is {status['status']} since {status['since']}")
        for one in incidents:
            ended = one["ended"] or "not over when the recording ends"
            self._say(
                f"     incident from {one['began']}, worst {one['worst']} at {one['worst_at']}, "
                f"end: {ended}\n     gates: {', '.join(one['gates'])}"
            )
        self._say(
            f"\n{proof.samples} samples, {proof.events} events, {proof.transitions} transitions\n"
            f"digest of the log          {proof.digest}\n"
            f"digest of folding it again {proof.refold_digest}"
            f"   {'identical' if proof.agrees else 'DIFFERENT'}\n"
        )
        if incidents:
            self._explain(incidents[0])
        for line in self._where_to_look(served_at):
            self._say(line)

    def _explain(self, incident: Mapping[str, Any]) -> None:
        """The incident in words: all of it when it has ended, else its worst moment."""
        ended, worst_at = incident["ended_ms"], incident["worst_at_ms"]
        type_, at_ms = (
            (TransitionExplained, worst_at) if ended is None else (IncidentReviewed, ended)
        )
        for told in self._explained:
            if isinstance(told, type_) and told.at * 1000 == at_ms:
                self._say("the incident at its worst, in words" if ended is None else "in words")
                self._out.print(*rows(told, event_id=str(told.explains)), "", sep="\n")

    def last_words(self, folder: Path) -> None:
        """The last lines that each part wrote, for somebody who has to find out why it failed."""
        self._progress.stop()
        for path in sorted(folder.glob("*.log")):
            for line in path.read_text(errors="replace").splitlines()[-LAST_LINES:]:
                note(f"{path.stem}: {line}")

    def _where_to_look(self, served_at: str | None) -> list[str]:
        if served_at is None:
            path = self._incident.path
            return [
                f"the same digest without a line:  copilot evaluate --recording {path}",
                "keep the API up and look around: copilot demo --serve",
                "watch a cluster of your own:     docs/operations.md",
            ]
        cluster, samples = self._incident.cluster, self._incident.samples
        past = samples[len(samples) // 2].slot
        return [
            f"status        {served_at}/v1/clusters/{cluster}/status",
            f"a past one    {served_at}/v1/clusters/{cluster}/status?at={past}",
            f"timeline      {served_at}/v1/clusters/{cluster}/timeline",
            f"incidents     {served_at}/v1/clusters/{cluster}/incidents",
            f"all of it     {served_at}/openapi.json",
            "Ctrl-C ends it and leaves nothing behind",
        ]

    def _say(self, text: str) -> None:
        if not self._as_json:
            self._out.print(text, soft_wrap=True)
