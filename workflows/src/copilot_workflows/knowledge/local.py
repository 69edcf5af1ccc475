"""Full-text search over the pages, in memory.

Theory of operation. Two indexes of Tantivy (BM25): one of whole pages, one of their sections. A
page scores what its whole text scores plus what its best section does, so that a page about the
matter and a page that answers in one place are both found. Its best section is shown, but not the
one that says how a matter is reported (`Sounds like`): who asks knows that.

Both indexes have one field: a word of the title, of the summary or of `Sounds like` stands in it
several times (`WEIGHTS`). With a field for each, a word that is rare in titles would count as rare.

Words are lower-cased, freed of accents and stemmed in English; compound names are found whole and
by their parts; words of which every question is made do not count (`EMPTY`); and words that mean
the same to on-call are one word (`SAME`), so that a pod is a process and a DB a database.

A question is a bag of words: nothing in it is query syntax, so nothing in it can fail or widen it.
The index takes milliseconds to build and belongs to one digest. `sync` looks at the file again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from copilot_workflows.knowledge.corpus import Corpus
from copilot_workflows.knowledge.pages import Page, Section
from copilot_workflows.knowledge.port import Passage, Synced, bounded, checked

REPORTED: Final = "Sounds like"
"""The section in which a runbook repeats what people say when they report it."""

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {"name": 2, "title": 3, "summary": 2, "reported": 2, "body": 1}
)
"""How often a word counts by where it stands."""

CANDIDATES: Final = 100
"""Pages and sections that are weighed against each other."""

EMPTY: Final[str] = """
    how what why when where which who whom do does did can could should shall would may
    might must i me my we us our you your he she they them somebody someone anybody anyone
    something anything have has had am been being was were so just than then there from
    since about after before over under out up down off on all any every some many much
    more most very too also only still now yet again always ever get gets got go goes
    going went make makes made take takes took mean means tell tells say says said know
    please help safe fine ok okay thing things
"""
"""Words of which every question is made."""

SAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        said: sought
        for sought, words in (
            ("database", "db postgres postgresql persistence aurora"),
            ("process", "pod pods container containers instance instances replica replicas"),
            ("host", "node nodes machine machines box vm"),
            ("processor", "cpu cpus"),
            ("memory", "oom ram mem"),
            ("worker", "sdk consumer consumers"),
            ("workflow", "execution executions"),
            ("connection", "conn conns connect connecting connected"),
            ("slow", "latency latencies lag lagging sluggish slowness slower late"),
            ("restart", "crash crashes crashed crashing crashloop reboot bounce bounces"),
            ("gone", "dead killed kill died vanished missing absent"),
            ("limit", "throttle throttled throttling ratelimit ratelimited quota"),
            ("hang", "stuck frozen freeze freezes hung stalled stall stalls"),
            ("metric", "dashboard dashboards grafana graphs graph prometheus monitoring scrape"),
            ("40001", "occ oc000 oc001 serialization"),
            ("deploy", "rollout release released releases upgrade update deployment deployments"),
            ("certificate", "cert certs"),
            ("token", "credential credentials login"),
            ("delete", "purge cleanup deletion deletions deleting"),
            ("scale", "autoscaler autoscaling autoscale autoscalers"),
            ("network", "firewall vpc routing"),
            ("reach", "unreachable reachable"),
            ("schedule", "cron"),
            ("call", "escalate escalation wake"),
            ("namespace", "tenant tenants"),
            ("opensearch", "elasticsearch elastic"),
            ("history", "histories"),
        )
        for said in words.split()
    }
)  # fmt: skip
"""Words of on-call that mean the same here: what is said, and what is sought."""

_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
"""A part of a compound name: `PersistenceLimit`, `shardIOConcurrency`."""


class LocalKnowledge:
    """The port over an index in memory. `read` gives the corpus, now and at each `sync`."""

    def __init__(self, read: Callable[[], Corpus]) -> None:
        self._read = read
        self._base: _Base | None = None

    async def search(self, question: str, *, limit: int = 3) -> tuple[Passage, ...]:
        """The passages that answer a question best."""
        asked = checked(question, limit)
        base = self._base or await self._load()
        return tuple(base.search(asked, limit))

    async def sync(self) -> Synced:
        """Read the corpus again, and build the index anew if it changed."""
        before = self._base
        base = await self._load()
        known = {} if before is None else {p.name: p.text for p in before.corpus.pages}
        pages = base.corpus.by_name
        gone = len(known.keys() - pages.keys())
        changed = gone + sum(known.get(name) != page.text for name, page in pages.items())
        return Synced(digest=base.corpus.digest, pages=len(pages), changed=changed)

    async def _load(self) -> _Base:
        corpus = await asyncio.to_thread(self._read)
        if self._base is None or self._base.corpus.digest != corpus.digest:
            self._base = await asyncio.to_thread(_Base, corpus)
        return self._base


@dataclass(frozen=True, slots=True)
class _Part:
    """A section of a page as the index knows it, by its number."""

    page: Page
    section: Section


class _Base:
    """Both indexes of one corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        words = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(60))
        words = words.filter(Filter.lowercase()).filter(Filter.ascii_fold())
        words = words.filter(Filter.stopword("english")).filter(
            Filter.custom_stopword(EMPTY.split())
        )
        self._words = words.build()
        stems = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer("english"))
        self._stems = stems.build()
        self._parts = tuple(_Part(p, s) for p in corpus.pages for s in p.sections if s.text)
        self._pages = self._index(_weighted(page) for page in corpus.pages)
        self._sections = self._index(
            f"{part.page.front.title}\n{part.section.heading}\n{part.section.text}"
            for part in self._parts
        )

    def search(self, question: str, limit: int) -> Iterator[Passage]:
        """Pages by score; of each the section that fits the question best."""
        words = list(dict.fromkeys(self.words(question)))
        pages = {self.corpus.pages[n].name: score for n, score in _hits(self._pages, words)}
        best: dict[str, float] = {}
        shown: dict[str, Section] = {}
        for number, score in _hits(self._sections, words):  # best first
            part = self._parts[number]
            best.setdefault(part.page.name, score)
            if part.section.heading != REPORTED:
                shown.setdefault(part.page.name, part.section)
        scores = {name: pages.get(name, 0.0) + score for name, score in best.items()}
        for name in sorted(scores, key=lambda name: (-scores[name], name))[:limit]:
            page = self.corpus.by_name[name]
            section = shown.get(name, page.sections[0])
            yield Passage(
                page=name,
                title=page.front.title,
                summary=page.front.summary,
                section=section.heading,
                text=bounded(section.text or page.front.summary),
                score=round(scores[name], 4),
                cause=page.front.cause,
            )

    def words(self, text: str) -> list[str]:
        """The words of a text as the index knows them."""
        found: list[str] = []
        for name in text.split():
            parts = _PART.findall(name)
            compound = len(parts) > 1 and name.strip("`\"'().,;:").isalnum()
            found += self._words.analyze(f"{name} {' '.join(parts)}" if compound else name)
        return self._stems.analyze(" ".join(SAME.get(word, word) for word in found))

    def _index(self, texts: Iterable[str]) -> tantivy.Index:
        index = tantivy.Index(_schema())
        writer = index.writer(num_threads=1)
        for number, text in enumerate(texts):
            words = " ".join(self.words(text))
            writer.add_document(tantivy.Document(number=number, words=words))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return index


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", stored=True)
    builder.add_text_field("words", tokenizer_name="whitespace")
    return builder.build()


def _hits(index: tantivy.Index, words: Iterable[str]) -> Iterator[tuple[int, float]]:
    """Numbers of documents with their scores, best first; equal ones by number."""
    terms = [(Occur.Should, Query.term_query(index.schema, "words", word)) for word in words]
    if not terms:
        return
    searcher = index.searcher()
    found = searcher.search(Query.boolean_query(terms), CANDIDATES).hits
    numbered = ((int(searcher.doc(at)["number"][0]), float(score)) for score, at in found)
    yield from sorted(numbered, key=lambda hit: (-hit[1], hit[0]))


def _weighted(page: Page) -> str:
    """The text of a page, each part as often as it counts."""
    reported = "\n".join(s.text for s in page.sections if s.heading == REPORTED)
    body = "\n".join(f"{s.heading}\n{s.text}" for s in page.sections if s.heading != REPORTED)
    parts = {
        "name": page.name.replace("-", " "),
        "title": page.front.title,
        "summary": page.front.summary,
        "reported": reported,
        "body": body,
    }
    return "\n".join("\n".join([text] * WEIGHTS[part]) for part, text in parts.items())
