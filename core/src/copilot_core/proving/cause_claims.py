"""Claims about causes: the ranking that may be spoken of, and the closed graph.

A cause link holds when the cause is in the ranking that it cites, and the graph links it to the
sign or the mechanism: a sign that the ranking says was seen, a mechanism on the cause's way. What
is only suspected is a hypothesis, and names a cause that the ranking knows of, too.
"""

from __future__ import annotations

from copilot_core.causes import CAUSE
from copilot_core.events import CausesRanked, RankedCause
from copilot_core.explanation import CauseLinkClaim, HypothesisClaim, LinkRole
from copilot_core.words.book import Book, rankings


def ranked_cause(claim: CauseLinkClaim, book: Book) -> tuple[int, RankedCause, CausesRanked] | None:
    """The place of the cause in the ranking that the claim cites, the cause, and the ranking."""
    allowed = {f.id: f.event for f in rankings(book)}
    for id_ in claim.events:
        ranking = allowed.get(id_)
        for place, cause in enumerate(ranking.causes if ranking else ()):
            if ranking and (cause.component, cause.kind) == (claim.component, claim.kind):
                return place, cause, ranking
    return None


def cause_link(claim: CauseLinkClaim, book: Book) -> str | None:
    """Why a cause link does not hold; None when it does."""
    found, row = ranked_cause(claim, book), CAUSE.get(f"{claim.component}/{claim.kind}")
    if found is None or row is None or len(claim.events) != 1:
        return "cause: it is not in the ranking"
    _, cause, _ = found
    must = {s for entry in row.must for s in entry.split("|")}
    evidence = {s.id for s in cause.evidence}
    linked = {
        LinkRole.NEEDS: {""} | (must & evidence),
        LinkRole.SUPPORTS: (evidence - must) & {s for e in row.supports for s in e.split("|")},
        LinkRole.AGAINST: {s.id for s in cause.against},
        LinkRole.MECHANISM: set(row.path),
    }[claim.role]
    if claim.link not in linked:
        return "cause: the ranking and the graph have no such link"
    return None


def hypothesis(claim: HypothesisClaim, book: Book) -> str | None:
    """Why a hypothesis may not be shown even as one; None when it may."""
    if not claim.component and not claim.kind:
        return None
    named = (claim.component, claim.kind)
    if not {f.id for f in rankings(book)} >= set(claim.events):
        return "hypothesis: it cites something else than a ranking"
    for fact in rankings(book):
        known = [(c.component, c.kind) for c in fact.event.causes]
        known += [(c.component, c.kind) for c in fact.event.cannot_tell]
        known += [
            (key.partition("/")[0], key.partition("/")[2])
            for c in fact.event.cannot_tell
            if (key := c.rather_than)
        ]
        if named in known and f"{named[0]}/{named[1]}" in CAUSE:
            return None
    return "hypothesis: the ranking knows of no such cause"
