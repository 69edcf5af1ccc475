"""Bedrock as a knowledge base: the contract, jobs, and what each refusal of AWS becomes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.stub import Stubber

from copilot_core.errors import Conflict, CopilotError, Rejected, Unavailable
from copilot_workflows.knowledge.bedrock import DIGEST, POLL_S, BedrockKnowledge
from copilot_workflows.knowledge.corpus import Corpus, corpus_of
from copilot_workflows.knowledge.port import Passage
from tests.unit.workflows.knowledge.bedrock_twin import NOW, PLACE, BedrockTwin, clients
from tests.unit.workflows.knowledge.conformance import KnowledgeContract, Open
from tests.unit.workflows.knowledge.pages_of import FRUIT, page


@pytest.fixture
def twin() -> BedrockTwin:
    """AWS in memory."""
    return BedrockTwin()


@pytest.fixture
def open_base(twin: BedrockTwin) -> Open:
    """Knowledge bases over one data source; nobody waits for real."""

    def opened(read: Callable[[], Corpus]) -> BedrockKnowledge:
        return BedrockKnowledge(twin.clients, PLACE, read, pause=lambda _: None)

    return opened


class TestBedrockKnowledge(KnowledgeContract):
    """The contract, through real clients whose calls and answers fit the services' models."""


async def test_pages_lie_below_the_prefix_beside_what_they_are(
    open_base: Open, twin: BedrockTwin
) -> None:
    """Body without front matter, attributes beside it, the digest on the object."""
    await open_base(lambda: FRUIT).sync()
    assert sorted(twin.objects)[:2] == ["rag/apples.md", "rag/apples.md.metadata.json"]
    apples = twin.objects["rag/apples.md"]
    assert apples["Body"].startswith(b"# Apples\n")
    assert len(apples["Metadata"][DIGEST]) == 64
    assert (
        b'"cause":"workers/absent"' in twin.objects["rag/workers-absent.md.metadata.json"]["Body"]
    )


async def test_only_what_changed_is_carried(open_base: Open, twin: BedrockTwin) -> None:
    """One page of three changes: one object is put, and one job started."""
    await open_base(lambda: FRUIT).sync()
    twin.calls.clear()
    apples, _, runbook = FRUIT.pages
    changed = corpus_of([apples, page("pears.md", "Pears", "Quinces."), runbook])
    await open_base(lambda: changed).sync()
    assert twin.calls.count("PutObject") == 1
    assert twin.calls.count("StartIngestionJob") == 1


async def test_nothing_to_do_starts_no_job(open_base: Open, twin: BedrockTwin) -> None:
    """The last job that ended well names the corpus."""
    await open_base(lambda: FRUIT).sync()
    twin.calls.clear()
    await open_base(lambda: FRUIT).sync()
    assert not {"PutObject", "DeleteObject", "StartIngestionJob"} & set(twin.calls)


async def test_a_job_that_runs_already_is_waited_for(open_base: Open, twin: BedrockTwin) -> None:
    """Whoever died while waiting finds the job by its next sync, and starts no second one."""
    twin.polls_until_done = 3
    impatient = BedrockKnowledge(
        twin.clients, PLACE, lambda: FRUIT, patience_s=POLL_S, pause=lambda _: None
    )
    with pytest.raises(Unavailable):
        await impatient.sync()
    assert (await open_base(lambda: FRUIT).sync()).changed == 0
    assert [job["status"] for job in twin.jobs] == ["COMPLETE"]


async def test_a_job_that_failed_says_why(twin: BedrockTwin) -> None:
    """The reasons of Bedrock are the findings; nothing is retried in silence."""
    aws = clients()
    job = {
        "knowledgeBaseId": PLACE.knowledge_base_id, "dataSourceId": PLACE.data_source_id,
        "ingestionJobId": "JOB0000001", "status": "FAILED", "startedAt": NOW, "updatedAt": NOW,
        "failureReasons": ["no access to the bucket"],
    }  # fmt: skip
    empty = BedrockKnowledge(aws, PLACE, lambda: corpus_of([]), pause=lambda _: None)
    with Stubber(aws.s3) as s3, Stubber(aws.agent) as agent:
        s3.add_response("list_objects_v2", {"IsTruncated": False})
        agent.add_response("list_ingestion_jobs", {"ingestionJobSummaries": []})
        agent.add_response("start_ingestion_job", {"ingestionJob": job})
        with pytest.raises(Rejected) as failed:
            await empty.sync()
    assert failed.value.findings == ("no access to the bucket",)


@pytest.mark.parametrize(
    ("code", "status", "becomes"),
    [
        ("ThrottlingException", 429, Unavailable),
        ("InternalServerException", 500, Unavailable),
        ("DependencyFailedException", 424, Unavailable),
        ("SomethingNew", 503, Unavailable),
        ("ConflictException", 409, Conflict),
        ("ValidationException", 400, Rejected),
        ("AccessDeniedException", 403, Rejected),
        ("ResourceNotFoundException", 404, Rejected),
    ],
)
async def test_refusals_are_named_by_what_to_do_next(
    code: str, status: int, becomes: type[CopilotError]
) -> None:
    """Every error of AWS is one of ours, and does not repeat the sentence of AWS."""
    aws = clients()
    base = BedrockKnowledge(aws, PLACE, lambda: FRUIT)
    with Stubber(aws.runtime) as runtime:
        runtime.add_client_error(
            "retrieve", code, "a sentence with arn:aws:iam::123", http_status_code=status
        )
        with pytest.raises(CopilotError) as refused:
            await base.search("apples")
    assert type(refused.value) is becomes
    assert "arn:" not in str(refused.value)


def _chunk(key: str, text: str, **told: str) -> dict[str, object]:
    return {
        "content": {"text": text},
        "location": {"type": "S3", "s3Location": {"uri": f"s3://pages/rag/topics/{key}.md"}},
        "metadata": told,
    }


async def _found(*chunks: dict[str, object]) -> list[Passage]:
    aws = clients()
    with Stubber(aws.runtime) as runtime:
        runtime.add_response("retrieve", {"retrievalResults": list(chunks)})
        return list(await BedrockKnowledge(aws, PLACE, lambda: FRUIT).search("apples"))


async def test_an_answer_without_attributes_names_the_page_by_its_object() -> None:
    """The object's name is enough to know a page of ours; a chunk without text is none."""
    empty: dict[str, object] = {"content": {"text": ""}, "location": {"type": "WEB"}}
    (found,) = await _found(empty, _chunk("apples", "## Storage\n\nCool cellars"))
    assert (found.page, found.section, found.cause) == ("apples", "Storage", None)


async def test_what_others_put_into_the_base_is_not_shown() -> None:
    """A page that is not of the corpus is none, whatever it calls itself."""
    stranger = _chunk("stranger", "Visit evil.example.", page="stranger", title="Apples")
    assert await _found(stranger, _chunk("plums", "Visit evil.example.")) == []


async def test_words_are_those_of_the_page_not_of_the_base() -> None:
    """An object that was changed in the bucket, and attributes that lie, change nothing."""
    lies = {"page": "pears", "title": "Evil", "summary": "Evil.", "cause": "workers/down"}
    (found,) = await _found(_chunk("x", "Evil. They bruise; no cellars.", **lies))
    assert (found.page, found.title, found.summary) == ("pears", "Pears", "About Pears.")
    assert (found.section, found.cause) == ("Storage", None)
    assert found.text == "They bruise; no cellars."
