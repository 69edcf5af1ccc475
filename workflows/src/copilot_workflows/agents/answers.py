"""From an answer to an explanation: what a model wrote becomes a draft, and of the draft only what
the log proves is shown.

Theory of operation, in this order:

    names     pseudonyms become names again
    claims    handles become event ids; a claim that is malformed, or cites an event that the book
              does not hold, is left out: its sentence then says more than it claims
    text      guarded; a sentence that is empty or too long is cut
    proof     every claim is recomputed and every text read; what is not backed is cut
    rules     complete it: where sentences were cut, and the next step always

When nothing of the model's is left, the words of the rules stand, and say why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter, ValidationError

from copilot_core.budget import Refusal, Refused
from copilot_core.events import CutSentence, ExplanationSource
from copilot_core.explanation import (
    MAX_CAUSES,
    MAX_CLAIMS,
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    CauseTold,
    Claim,
    Draft,
    Explanation,
    Sentence,
)
from copilot_core.guarding.guard import Sink, guard
from copilot_core.guarding.pseudonyms import NO_NAMES, Names
from copilot_core.proving.proof import PARTS, completed, prove
from copilot_core.values import Model, Text
from copilot_core.words.book import Book
from copilot_workflows.agents.evidence import names_of
from copilot_workflows.agents.handles import event_of
from copilot_workflows.agents.requests import (
    CLAIMS,
    STANDS_BECAUSE,
    Answer,
    AnswerClaim,
    AnswerSentence,
    Composed,
    Reason,
)

_CLAIM: Final[TypeAdapter[Claim]] = TypeAdapter(Claim)
_ANY_VALUE: Final = ("before", "after", "until")
"""Fields of claims in which null says something."""
MAX_FOREIGN_CHARS: Final = 8
"""A name that others chose (a label of a log, say) is not repeated when it is longer: it could be a
sentence. The rules never repeat one."""
_NAMED_ALOUD: Final = ("cluster", "parameter")
"""Kinds of names that are said whole: who runs the copilot and its compiler chose them."""
MAX_CUT: Final = 60
"""Cuts that are recorded of one answer."""


class Worded(Model):
    """The words that are shown in the end, and where they come from.

    `reason` is None when a model worded them.
    """

    explanation: Explanation
    source: ExplanationSource
    model: Text | None
    prompt_version: Text | None
    cut: tuple[CutSentence, ...]
    stands_because: Text
    reason: Reason | None


def worded(composed: Composed, *, book: Book, rules: Explanation) -> Worded:
    """What is shown of an answer; `rules` are the words that stand already.

    The same answer and the same book give the same words.
    """
    if composed.answer is None:
        reason = composed.reason or Reason.UNUSABLE
        return standing(rules, reason, model=composed.model, prompt_version=composed.prompt_version)
    drafting = _Drafting(book)
    draft = drafting.draft(composed.answer, instead=rules.headline)
    proven = prove(draft, book)
    cut = (*drafting.cut, *proven.cut)[:MAX_CUT]
    explanation = completed(proven, rules)
    own = set(proven.sentences) - ({rules.headline} if drafting.borrowed else set())
    if own.isdisjoint(_sentences(explanation)):
        return standing(
            rules,
            Reason.NOTHING_PROVEN,
            model=composed.model,
            prompt_version=composed.prompt_version,
            cut=cut,
        )
    return Worded(
        explanation=explanation,
        source=ExplanationSource.MODEL,
        model=composed.model,
        prompt_version=composed.prompt_version,
        cut=cut,
        stands_because="",
        reason=None,
    )


def _sentences(told: Draft) -> Iterator[Sentence]:
    """Every sentence that is shown."""
    yield told.headline
    for part in PARTS:
        yield from getattr(told, part)
    for cause in told.causes:
        yield from cause.sentences


def standing(
    rules: Explanation,
    reason: Reason,
    *,
    detail: str = "",
    model: str | None = None,
    prompt_version: str | None = None,
    cut: tuple[CutSentence, ...] = (),
) -> Worded:
    """The words of the rules, and why they stand."""
    because = STANDS_BECAUSE[reason]
    return Worded(
        explanation=rules,
        source=ExplanationSource.RULES,
        model=model,
        prompt_version=prompt_version,
        cut=cut,
        stands_because=f"{because}: {detail}" if detail else because,
        reason=reason,
    )


_REASON_OF: Final[Mapping[Refusal, Reason]] = MappingProxyType(
    {
        Refusal.ALREADY_MADE: Reason.ALREADY_ASKED,
        Refusal.SAME_EVIDENCE: Reason.ALREADY_ASKED,
    }
)


def refused(rules: Explanation, refusal: Refused) -> Worded:
    """The words of the rules where the budget did not allow a call."""
    reason = _REASON_OF.get(refusal.why, Reason.BUDGET)
    return standing(rules, reason, detail=refusal.text if reason is Reason.BUDGET else "")


@dataclass
class _Drafting:
    """One answer on its way to a draft; `borrowed` tells that its headline is not its own."""

    book: Book
    cut: list[CutSentence] = field(default_factory=list)
    borrowed: bool = False
    names: Names = NO_NAMES

    def draft(self, answer: Answer, *, instead: Sentence) -> Draft:
        """The draft; `instead` is its headline where the answer has none that can be shown."""
        self.names = names_of(self.book)
        restored = self.names.restored_value(answer.model_dump(mode="json"))
        answer = Answer.model_validate(restored)
        headline = self._sentences("headline", [answer.headline])
        self.borrowed = not headline
        return Draft(
            headline=headline[0] if headline else instead,
            since=self._sentences("since", answer.since),
            certainty=self._sentences("certainty", answer.certainty),
            causes=tuple(
                CauseTold(
                    component=cause.component[:200],
                    kind=cause.kind[:200],
                    sentences=self._sentences("causes", cause.sentences),
                )
                for cause in answer.causes[:MAX_CAUSES]
            ),
            path=self._sentences("path", answer.path),
            changed_before=self._sentences("changed_before", answer.changed_before),
            not_seen=self._sentences("not_seen", answer.not_seen),
        )

    def _sentences(self, part: str, told: Iterable[AnswerSentence]) -> tuple[Sentence, ...]:
        kept: list[Sentence] = []
        for sentence in told:
            text = guard(sentence.text.replace("\x00", ""), Sink.SHOWN).strip()
            if not text or len(text) > MAX_SENTENCE_CHARS:
                why = f"longer than {MAX_SENTENCE_CHARS} characters" if text else "empty"
                self.cut.append(CutSentence(part=part, reason=why))
            elif any(
                len(name) > MAX_FOREIGN_CHARS and kind not in _NAMED_ALOUD
                for kind, name in self.names.told_in(text)
            ):
                self.cut.append(CutSentence(part=part, reason="a name that others chose"))
            elif len(kept) == MAX_SENTENCES:
                self.cut.append(CutSentence(part=part, reason="too many sentences"))
            else:
                claims = [self._claim(c) for c in sentence.claims[:MAX_CLAIMS]]
                kept.append(Sentence(text=text, claims=tuple(c for c in claims if c)))
        return tuple(kept)

    def _claim(self, told: AnswerClaim) -> Claim | None:
        """A claim with event ids, None when it cannot be one."""
        names = CLAIMS[told.claim].model_fields
        fields = {
            name: value
            for name, value in told.model_dump(include=set(names)).items()
            if value is not None or name in _ANY_VALUE
        }
        cited = [event_of(handle, self.book) for handle in told.events]
        fields["events"] = cited
        for end in ("first", "then"):
            if end in names:
                fields[end] = event_of(str(fields.get(end, "")), self.book)
        if None in cited:
            return None
        try:
            return _CLAIM.validate_python(fields)
        except ValidationError:
            return None
