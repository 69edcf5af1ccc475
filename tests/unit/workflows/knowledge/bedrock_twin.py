"""Bedrock and S3 in memory, behind the real clients of boto3.

Nothing goes over the wire: hooks of botocore take a call after its parameters were checked against
the service's model, and give an answer that is checked against the model, too (as botocore's own
Stubber does, but with a state). So a wrong parameter, a missing one or an answer that AWS would
never give fails a test.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import boto3
import orjson
from botocore.awsrequest import AWSResponse
from botocore.model import OperationModel
from botocore.validate import validate_parameters

from copilot_workflows.knowledge.bedrock import Clients, Place

PLACE = Place(
    knowledge_base_id="KB12345678", data_source_id="DS12345678", bucket="pages", prefix="rag/"
)
NOW = "2026-11-23T03:00:00Z"


def clients() -> Clients:
    """Real clients with credentials that open nothing."""
    session = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    )
    return Clients(
        runtime=session.client("bedrock-agent-runtime"),
        agent=session.client("bedrock-agent"),
        s3=session.client("s3"),
    )


class BedrockTwin:
    """A bucket, a data source over it, and an index that knows what was ingested last."""

    def __init__(self) -> None:
        self.clients = clients()
        self.objects: dict[str, dict[str, Any]] = {}
        self.indexed: dict[str, bytes] = {}
        self.jobs: list[dict[str, Any]] = []
        self.tokens: dict[str, dict[str, Any]] = {}
        self.polls_until_done = 1
        self.calls: list[str] = []
        for client in (self.clients.runtime, self.clients.agent, self.clients.s3):
            events: Any = getattr(client, "meta").events  # noqa: B009  no operation, whatever Aws says
            events.register_first("before-parameter-build", self._ask)
            events.register_last("before-call", self._answer)

    def _ask(self, params: dict[str, Any], **_: object) -> None:
        self._asked = dict(params)

    def _answer(self, model: OperationModel, **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        self.calls.append(model.name)
        answer = getattr(self, model.name)(**self._asked)
        validate_parameters(answer, model.output_shape)
        http: Any = AWSResponse("https://aws.invalid", 200, {}, None)
        return http, {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    # --- S3: the operations by their names ------------------------------------------------------

    def PutObject(self, *, Bucket: str, Key: str, Body: BinaryIO, Metadata: dict[str, str]) -> Any:
        """Keep an object."""
        assert Bucket == PLACE.bucket
        self.objects[Key] = {"Body": Body.read(), "Metadata": Metadata}
        return {}

    def DeleteObject(self, *, Bucket: str, Key: str) -> Any:
        """Forget an object."""
        del self.objects[Key]
        return {}

    def HeadObject(self, *, Bucket: str, Key: str) -> Any:
        """What is known of an object."""
        return {"Metadata": self.objects[Key]["Metadata"]}

    def ListObjectsV2(self, *, Prefix: str, ContinuationToken: str = "", **_: str) -> Any:
        """Two keys a page: whoever reads the first page only is found out."""
        keys = sorted(k for k in self.objects if k.startswith(Prefix) and k > ContinuationToken)
        answer: dict[str, Any] = {
            "Contents": [{"Key": key} for key in keys[:2]], "IsTruncated": len(keys) > 2,
        }  # fmt: skip
        if len(keys) > 2:
            answer["NextContinuationToken"] = keys[1]
        return answer

    # --- ingestion ------------------------------------------------------------------------------

    def StartIngestionJob(
        self, *, knowledgeBaseId: str, dataSourceId: str, clientToken: str, description: str
    ) -> Any:
        """Begin a job; the same token is the same job."""
        if clientToken not in self.tokens:
            job = {
                "knowledgeBaseId": knowledgeBaseId, "dataSourceId": dataSourceId,
                "ingestionJobId": f"JOB{len(self.jobs):07}", "description": description,
                "status": "STARTING", "startedAt": NOW, "updatedAt": NOW,
            }  # fmt: skip
            self.jobs.append(job)
            self.tokens[clientToken] = job
            self._left = self.polls_until_done
        return {"ingestionJob": dict(self.tokens[clientToken])}

    def GetIngestionJob(
        self, *, knowledgeBaseId: str, dataSourceId: str, ingestionJobId: str
    ) -> Any:
        """Look at a job; each look brings it closer to its end."""
        job = next(job for job in self.jobs if job["ingestionJobId"] == ingestionJobId)
        self._left -= 1
        job["status"] = "IN_PROGRESS" if self._left > 0 else "COMPLETE"
        if job["status"] == "COMPLETE":
            self.indexed = {key: item["Body"] for key, item in self.objects.items()}
        return {"ingestionJob": dict(job)}

    def ListIngestionJobs(self, *, maxResults: int, sortBy: dict[str, str], **_: str) -> Any:
        """The latest jobs."""
        assert sortBy == {"attribute": "STARTED_AT", "order": "DESCENDING"}
        return {"ingestionJobSummaries": [dict(job) for job in self.jobs[::-1][:maxResults]]}

    # --- questions ------------------------------------------------------------------------------

    def Retrieve(
        self,
        *,
        knowledgeBaseId: str,
        retrievalQuery: dict[str, str],
        retrievalConfiguration: dict[str, Any],
    ) -> Any:
        """Chunks by how many words of the question they have: near enough to vectors."""
        asked = set(re.findall(r"\w+", retrievalQuery["text"].lower()))
        results: list[dict[str, Any]] = []
        for key, body in self.indexed.items():
            if key.endswith(".metadata.json"):
                continue
            told = orjson.loads(self.indexed[key + ".metadata.json"])["metadataAttributes"]
            for chunk in re.split(r"(?m)^(?=## )", body.decode()):
                words = re.findall(r"\w+", chunk.lower())
                score = len(asked & set(words)) / len(asked)
                results.append(
                    {
                        "content": {"text": chunk, "type": "TEXT"},
                        "location": {
                            "type": "S3",
                            "s3Location": {"uri": f"s3://{PLACE.bucket}/{key}"},
                        },
                        "score": score,
                        "metadata": told,
                    }
                )
        results.sort(key=lambda r: -r["score"])
        most = retrievalConfiguration["vectorSearchConfiguration"]["numberOfResults"]
        return {"retrievalResults": results[:most]}
