"""The incident page: one incident with all that one wants to know of it the day after.

It is put together from the read models when asked for: the incident itself (with its gates and the
stretches in which nothing could be seen), how the causes were ranked while it went on, what was
said of it, what was changed before and during it, and everything that happened, in order.

The views come along each at its own pace; a page of an incident that has just begun may lack for a
moment what the log already has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from copilot_core.events import ConfigChanged, DeploymentRecorded, IncidentReviewed
from copilot_projections.explained import ExplanationLine
from copilot_projections.rankings import CauseLine, Ranking, UntoldCause
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At
from copilot_projections.views import causes, explanations, incidents, timeline
from copilot_projections.views.incidents import Incident
from copilot_projections.views.timeline import TimelineEntry

CHANGES_BEFORE_S: Final = 86_400
"""How long before its begin a change may still have to do with an incident: what is deployed in the
morning meets its load in the evening."""
MAX_ENTRIES: Final = 500
MAX_SAID: Final = 200
MAX_CHANGES: Final = 100
STORY_VIEWS: Final = (incidents.VIEW, causes.VIEW, explanations.VIEW, timeline.VIEW)
"""The read models that a page is put together from."""
_CHANGES: Final = frozenset({ConfigChanged.__name__, DeploymentRecorded.__name__})


class Happening(Answer):
    """One line of the story: an entry of the timeline without the event itself."""

    at: At
    at_ms: int
    type: str
    from_: str = Field(alias="from")
    to: str
    summary: str
    reasons: tuple[str, ...]
    event_id: str


class IncidentStory(Incident):
    """An incident and its story. Lists are in order of time, the first thing first."""

    causes: tuple[CauseLine, ...] = Field(
        description="the last ranking that named a cause, likeliest first"
    )
    cannot_tell: tuple[UntoldCause, ...] = Field(description="what that ranking could not tell")
    headline: str | None = Field(description="the review's, or what was last said; null for none")
    review: ExplanationLine | None = Field(description="of the whole incident, once it has ended")
    explanations: tuple[ExplanationLine, ...] = Field(description="of its transitions and states")
    rankings: tuple[Ranking, ...]
    changes: tuple[Happening, ...] = Field(
        description="configuration and deployments, from a day before its begin"
    )
    timeline: tuple[Happening, ...]
    complete: bool = Field(description="false when a list was cut; the oldest are left out")


async def story_of(views: ViewReader, incident: Incident) -> IncidentStory:
    """The page of an incident."""
    began, cluster = incident.began, incident.cluster
    until = None if incident.ended is None else incident.ended.add(seconds=1)
    ranked = await causes.rankings(views, cluster, since=began, until=until, limit=MAX_SAID + 1)
    said = await explanations.page(views, cluster, since=began, until=until, limit=MAX_SAID)
    all_of_it = await timeline.page(
        views, cluster=cluster, since=began, until=until, limit=MAX_ENTRIES
    )
    changed = await timeline.page(
        views,
        cluster=cluster,
        since=began.subtract(seconds=min(CHANGES_BEFORE_S, began.timestamp())),
        until=until,
        types=_CHANGES,
        limit=MAX_CHANGES,
    )
    named = next((ranking for ranking in ranked if ranking.causes), None)
    reviews = [e for e in said.explanations if e.type == IncidentReviewed.__name__]
    others = [e for e in said.explanations if e.type != IncidentReviewed.__name__]
    review = next((e for e in reviews if e.at == incident.ended), None)
    newest = review or (others[0] if others else None)
    return IncidentStory(
        **dict(incident),
        causes=named.causes if named else (),
        cannot_tell=named.cannot_tell if named else (),
        headline=newest.headline if newest else None,
        review=review,
        explanations=tuple(reversed(others)),
        rankings=tuple(reversed(ranked[:MAX_SAID])),
        changes=_happenings(changed.entries),
        timeline=_happenings(all_of_it.entries),
        complete=len(ranked) <= MAX_SAID
        and not (said.next_before or all_of_it.next_before or changed.next_before),
    )


def _happenings(entries: Iterable[TimelineEntry]) -> tuple[Happening, ...]:
    """Entries of the timeline (newest first) as lines in order of time."""
    lines = [
        Happening.model_validate({name: getattr(entry, name) for name in Happening.model_fields})
        for entry in entries
    ]
    return tuple(reversed(lines))
