"""Full-text search over the pages, in memory.

Theory of operation. Two indexes of Tantivy (BM25): one of whole pages, which finds the page, one of
their sections, which finds the part of it to show. Fields of a page weigh differently: what it is
called, how it is reported (`Sounds like`), its summary, the rest. Words are lower-cased, freed of
accents and stemmed in English; words that mean the same to on-call are one word (`SAME`), so that a
pod is a process and a DB a database. A signal or a key such as `history.rps` is found by its parts.

A question is a bag of words: nothing in it is query syntax, so nothing in it can fail or widen it.

The index takes milliseconds to build and belongs to one digest. `sync` looks at the file again.
"""

from __future__ import annotations

import asyncio
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

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"name": 2.0, "title": 3.0, "reported": 2.0, "summary": 2.0, "body": 1.0}
)
"""How much a word counts where it stands."""

SAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "db": "database", "postgres": "database", "postgresql": "database", "persistence": "database",
        "pod": "process", "pods": "process", "container": "process", "instance": "process",
        "replica": "process", "replicas": "process", "task": "task", "cpu": "processor",
        "oom": "memory", "sdk": "worker", "consumer": "worker", "consumers": "worker",
        "conn": "connection", "conns": "connection", "latency": "slow", "lag": "slow",
        "sluggish": "slow", "crash": "restart", "crashing": "restart", "crashes": "restart",
        "crashed": "restart", "crashloop": "restart", "reboot": "restart", "bounce": "restart",
        "dead": "gone", "killed": "gone", "vanished": "gone", "missing": "gone", "died": "gone",
        "throttled": "limit", "throttling": "limit", "ratelimit": "limit", "quota": "limit",
        "stuck": "hang", "frozen": "hang", "freeze": "hang", "hung": "hang", "stalled": "hang",
        "blind": "metric", "dashboard": "metric", "dashboards": "metric", "grafana": "metric",
        "graphs": "metric", "graph": "metric", "monitoring": "metric", "prometheus": "metric",
        "occ": "40001", "oc000": "40001", "oc001": "40001", "serialization": "40001",
        "rollout": "deploy", "deployment": "deploy", "release": "deploy", "released": "deploy",
        "upgrade": "deploy", "cert": "certificate", "certs": "certificate",
        "credential": "token", "credentials": "token", "password": "token", "login": "token",
        "purge": "delete", "cleanup": "delete", "deletion": "delete", "deletions": "delete",
    }
)  # fmt: skip
"""Words of on-call that mean the same here. To the left what is said, to the right what is sought."""

_STOPWORDS: Final = "english"


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
        self._words = (
            TextAnalyzerBuilder(Tokenizer.simple())
            .filter(Filter.remove_long(60))
            .filter(Filter.lowercase())
            .filter(Filter.ascii_fold())
            .filter(Filter.stopword(_STOPWORDS))
            .build()
        )
        self._stems = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(
            Filter.stemmer(_STOPWORDS)
        ).build()  # fmt: skip
        self._parts = tuple(_Part(p, s) for p in corpus.pages for s in p.sections if s.text)
        self._schema = _schema()
        self._pages = self._index(_fields_of_page(p) for p in corpus.pages)
        self._sections = self._index(_fields_of_part(p) for p in self._parts)

    def search(self, question: str, limit: int) -> Iterator[Passage]:
        """Pages by score; of each the section that fits the question best."""
        words = self.words(question)
        if not words:
            return
        query = self._query(words)
        searcher = self._pages.searcher()
        for score, address in searcher.search(query, limit).hits:
            page = self.corpus.pages[int(searcher.doc(address)["number"][0])]
            section = self._best_section(query, page)
            yield Passage(
                page=page.name,
                title=page.front.title,
                section=section.heading,
                text=bounded(section.text),
                score=round(float(score), 4),
                cause=page.front.cause,
            )

    def words(self, text: str) -> list[str]:
        """The words of a text as the index knows them."""
        same = (SAME.get(word, word) for word in self._words.analyze(text))
        return self._stems.analyze(" ".join(same))

    def _best_section(self, query: Query, page: Page) -> Section:
        of_page = Query.term_query(self._schema, "of", page.name)
        both = Query.boolean_query([(Occur.Must, of_page), (Occur.Should, query)])
        searcher = self._sections.searcher()
        _, address = searcher.search(both, 1).hits[0]
        return self._parts[int(searcher.doc(address)["number"][0])].section

    def _query(self, words: Iterable[str]) -> Query:
        terms = [
            (Occur.Should, Query.boost_query(Query.term_query(self._schema, field, word), weight))
            for word in dict.fromkeys(words)
            for field, weight in WEIGHTS.items()
        ]
        return Query.boolean_query(terms)

    def _index(self, documents: Iterable[Mapping[str, str]]) -> tantivy.Index:
        index = tantivy.Index(self._schema)
        writer = index.writer(num_threads=1)  # numbers of documents stay in order
        for number, fields in enumerate(documents):
            document = tantivy.Document(number=number, of=fields["name"])
            for field in WEIGHTS:
                document.add_text(field, " ".join(self.words(fields.get(field, ""))))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return index


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", stored=True)
    builder.add_text_field("of", tokenizer_name="raw")
    for field in WEIGHTS:
        builder.add_text_field(field, tokenizer_name="whitespace")
    return builder.build()


def _fields_of_page(page: Page) -> Mapping[str, str]:
    return {
        "name": page.name,
        "title": page.front.title,
        "summary": page.front.summary,
        "reported": "\n".join(s.text for s in page.sections if s.heading == REPORTED),
        "body": "\n".join(s.text for s in page.sections if s.heading != REPORTED),
    }


def _fields_of_part(part: _Part) -> Mapping[str, str]:
    return {"name": part.page.name, "title": part.section.heading, "body": part.section.text}
