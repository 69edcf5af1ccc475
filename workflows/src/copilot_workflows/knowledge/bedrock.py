"""Amazon Bedrock Knowledge Bases: the pages in S3, embedded and searched by Bedrock.

Theory of operation. A page is one object below a prefix of a bucket, its body without the front
matter, and beside it `<page>.metadata.json` with the attributes that come back with each answer.
Bedrock cuts pages into chunks. A chunk says which page answers, and where; the words are those of
our own page. So what others put into the bucket, or changed there, is never shown.

`sync` makes the bucket hold exactly the pages (an object carries the digest of what it holds, so an
unchanged one is left alone, and Bedrock embeds only what changed), then starts an ingestion job and
waits for its end. The job's description names the corpus: when the last job that ended well names
this one, there is nothing to do. The client token is made of the corpus and of the job before, so
that a repeated start is the same job. A job that runs already is waited for first.

Calls are blocking and run in a thread; each is tried once, retries are the caller's (one place).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from copilot_core.errors import Conflict, CopilotError, Rejected, Unavailable
from copilot_workflows.knowledge.corpus import Corpus
from copilot_workflows.knowledge.pages import Page, Section
from copilot_workflows.knowledge.port import Passage, Synced, bounded, checked

CHUNKS_PER_PAGE: Final = 4
"""Chunks asked for per wanted page: several of them may belong to one page."""

POLL_S: Final = 5.0

DIGEST: Final = "copilot-digest"
"""Metadata of an object: the digest of what it holds."""

METADATA_SUFFIX: Final = ".metadata.json"

_RUNNING: Final = frozenset({"STARTING", "IN_PROGRESS", "STOPPING"})

_BUSY: Final = frozenset(
    {
        "ThrottlingException", "TooManyRequestsException", "ServiceUnavailableException",
        "InternalServerException", "InternalError", "ServiceUnavailable", "SlowDown",
        "RequestTimeout", "DependencyFailedException", "BadGatewayException",
    }
)  # fmt: skip
"""Error codes that pass by themselves."""


class Aws(Protocol):
    """A client of boto3, as far as it is used here: methods by name, dictionaries in and out."""

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """An operation of the service."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the knowledge base is and where its pages lie."""

    knowledge_base_id: str
    data_source_id: str
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Clients:
    """The three services: questions, ingestion, objects."""

    runtime: Aws
    agent: Aws
    s3: Aws


class BedrockKnowledge:
    """The port over a Bedrock knowledge base."""

    def __init__(
        self,
        clients: Clients,
        place: Place,
        read: Callable[[], Corpus],
        *,
        patience_s: float = 600.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._place = place
        self._read = read
        self._corpus: Corpus | None = None
        self._patience_s = patience_s
        self._pause = pause

    async def search(self, question: str, *, limit: int = 3) -> tuple[Passage, ...]:
        """The passages that answer a question best."""
        asked = checked(question, limit)
        return await asyncio.to_thread(lambda: tuple(self._search(asked, limit)))

    async def sync(self) -> Synced:
        """Carry the pages over and wait until they can be searched."""
        return await asyncio.to_thread(self._sync)

    # --- search ---------------------------------------------------------------------------------

    def _search(self, question: str, limit: int) -> Iterator[Passage]:
        answer = _call(
            self._clients.runtime.retrieve,
            knowledgeBaseId=self._place.knowledge_base_id,
            retrievalQuery={"text": question},
            retrievalConfiguration={
                "vectorSearchConfiguration": {"numberOfResults": limit * CHUNKS_PER_PAGE}
            },
        )
        pages = self._known().by_name
        seen: set[str] = set()
        for chunk in answer.get("retrievalResults", ()):
            passage = _passage(chunk, pages)
            if passage is not None and passage.page not in seen and len(seen) < limit:
                seen.add(passage.page)
                yield passage

    def _known(self) -> Corpus:
        """The pages as of the last sync of this process, else as they are read now."""
        if self._corpus is None:
            self._corpus = self._read()
        return self._corpus

    # --- sync -----------------------------------------------------------------------------------

    def _sync(self) -> Synced:
        corpus = self._read()
        changed = self._carry(corpus)
        last = self._wait_for_running()
        ended_well = last is not None and last["status"] == "COMPLETE"
        if not (ended_well and last is not None and last.get("description") == corpus.digest):
            self._ingest(corpus, after="" if last is None else last["ingestionJobId"])
        self._corpus = corpus
        return Synced(digest=corpus.digest, pages=len(corpus.pages), changed=changed)

    def _carry(self, corpus: Corpus) -> int:
        """Make the bucket hold exactly the pages; how many pages had to be carried or removed."""
        wanted = dict(self._objects(corpus))
        there = set(self._listed())
        changed = set()
        for key, body in wanted.items():
            digest = hashlib.sha256(body).hexdigest()
            if key not in there or self._digest_of(key) != digest:
                self._s3("put_object", Key=key, Body=body, Metadata={DIGEST: digest})
                changed.add(key.removesuffix(METADATA_SUFFIX))
        for key in sorted(there - wanted.keys()):
            self._s3("delete_object", Key=key)
            changed.add(key.removesuffix(METADATA_SUFFIX))
        return len(changed)

    def _objects(self, corpus: Corpus) -> Iterator[tuple[str, bytes]]:
        for page in corpus.pages:
            key = self._place.prefix + page.path
            yield key, page.body.encode()
            yield key + METADATA_SUFFIX, orjson.dumps({"metadataAttributes": _attributes(page)})

    def _listed(self) -> Iterator[str]:
        more: dict[str, str] = {}
        while True:
            answer = self._s3("list_objects_v2", Prefix=self._place.prefix, **more)
            yield from (item["Key"] for item in answer.get("Contents", ()))
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _digest_of(self, key: str) -> str:
        return self._s3("head_object", Key=key).get("Metadata", {}).get(DIGEST, "")

    def _s3(self, operation: str, **arguments: object) -> dict[str, Any]:
        return _call(getattr(self._clients.s3, operation), Bucket=self._place.bucket, **arguments)

    def _ingest(self, corpus: Corpus, *, after: str) -> None:
        token = hashlib.sha256(f"{corpus.digest} {after}".encode()).hexdigest()
        started = _call(
            self._clients.agent.start_ingestion_job,
            **self._source,
            clientToken=token,
            description=corpus.digest,
        )
        job = self._ended(started["ingestionJob"])
        failed = job.get("statistics", {}).get("numberOfDocumentsFailed", 0)
        if job["status"] != "COMPLETE" or failed:
            reasons = tuple(job.get("failureReasons", ())) or (f"{failed} documents failed",)
            raise Rejected(
                f"the ingestion job ended as {job['status']}",
                where=f"knowledge base {self._place.knowledge_base_id}",
                todo="look at the job in the AWS console, then sync again",
                code="ingestion_failed",
                findings=reasons,
            )

    def _wait_for_running(self) -> dict[str, Any] | None:
        """The last job, after its end; None when there never was one."""
        answer = _call(
            self._clients.agent.list_ingestion_jobs,
            **self._source,
            sortBy={"attribute": "STARTED_AT", "order": "DESCENDING"},
            maxResults=1,
        )
        jobs = answer.get("ingestionJobSummaries", ())
        return self._ended(jobs[0]) if jobs else None

    def _ended(self, job: dict[str, Any]) -> dict[str, Any]:
        waited_s = 0.0
        while job["status"] in _RUNNING:
            if waited_s >= self._patience_s:
                raise Unavailable(
                    f"the ingestion job still runs after {waited_s:g} s",
                    where=f"knowledge base {self._place.knowledge_base_id}",
                    todo="sync again later: the job goes on and is found again",
                )
            self._pause(POLL_S)
            waited_s += POLL_S
            job = _call(
                self._clients.agent.get_ingestion_job,
                **self._source,
                ingestionJobId=job["ingestionJobId"],
            )["ingestionJob"]
        return job

    @property
    def _source(self) -> Mapping[str, str]:
        return {
            "knowledgeBaseId": self._place.knowledge_base_id,
            "dataSourceId": self._place.data_source_id,
        }


def _attributes(page: Page) -> dict[str, str]:
    front = page.front
    told = {"page": page.name, "title": front.title, "summary": front.summary, "cause": front.cause}
    return {name: value for name, value in told.items() if value is not None}


def _passage(chunk: Mapping[str, Any], pages: Mapping[str, Page]) -> Passage | None:
    """The part of our page that a chunk points to; None for what is no text of a page of ours."""
    uri = chunk.get("location", {}).get("s3Location", {}).get("uri", "")
    named = chunk.get("metadata", {}).get("page")
    page = pages.get(named or urlsplit(uri).path.rpartition("/")[2].removesuffix(".md"))
    text = chunk.get("content", {}).get("text", "")
    if page is None or not text:
        return None
    section = _section(page, text)
    return Passage(
        page=page.name,
        title=page.front.title,
        summary=page.front.summary,
        section=section.heading,
        text=bounded(section.text),
        score=float(chunk.get("score", 0.0)),
        cause=page.front.cause,
    )


def _section(page: Page, chunk: str) -> Section:
    """The section that shares most words with a chunk: Bedrock cuts without regard to headings."""
    words = set(chunk.split())
    return max(
        (section for section in page.sections if section.text),
        key=lambda section: len(words & {*section.heading.split(), *section.text.split()}),
        default=Section(heading="", text=page.front.summary),
    )


def _call(operation: Callable[..., dict[str, Any]], **arguments: object) -> dict[str, Any]:
    """One call to AWS, with its errors translated."""
    try:
        return operation(**arguments)
    except (ClientError, BotoCoreError) as e:
        raise _translated(e) from e


def _translated(error: ClientError | BotoCoreError) -> CopilotError:
    """What the caller does next: wait, look again, or correct something."""
    if not isinstance(error, ClientError):
        return Unavailable(f"AWS does not answer: {error}", where="Bedrock")
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    told = f"{error.operation_name}: {code}"
    if code in _BUSY or status >= 500:
        return Unavailable(told, where="Bedrock", todo="try again later")
    if code == "ConflictException":
        return Conflict(told, where="Bedrock", todo="another job runs: sync again")
    return Rejected(
        told,
        where="Bedrock",
        todo="check identifiers, bucket and the role's permissions",
        code="bedrock_refused",
    )
