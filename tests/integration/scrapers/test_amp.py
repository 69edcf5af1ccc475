"""Requests to Amazon Managed Prometheus carry a signature that AWS would accept.

The stand-in computes Signature Version 4 anew, from the request as it arrived, by the published
rules and without botocore.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
import textwrap
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.session import Session

from copilot_core.readings import Missing
from copilot_streams.scrapers.amp import AmpAuth, sign
from copilot_streams.scrapers.backend import Backend, Failure, client_for
from tests.unit.streams.stand_in import Asked, Reply, standing_in, vector

REGION = "eu-central-1"
KEYS = {"AKIDONE": "secret one", "AKIDTWO": "secret two"}
FORM = {"query": 'sum(rate(service_requests{operation=~"Start.*|Poll"}[60s]))', "time": "30"}


def signature(asked: Asked, secret: str, scope: str, signed: list[str]) -> str:
    """The signature of a request as it arrived, by AWS's rules for Signature Version 4."""
    headers = {name.lower(): " ".join(value.split()) for name, value in asked.headers.items()}
    target = urlsplit(asked.url)
    canonical = "\n".join(
        [
            asked.method,
            target.path,
            target.query,
            *(f"{name}:{headers[name]}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(asked.body).hexdigest(),
        ]
    )
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            headers["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def verifying(asked: Asked) -> Reply:
    """Answer like AMP: 403 unless the signature is right for the workspace's region."""
    scheme, _, rest = asked.headers.get("Authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    key, _, scope = fields.get("Credential", "").partition("/")
    signed = fields.get("SignedHeaders", "").split(";")
    right = (
        scheme == "AWS4-HMAC-SHA256"
        and scope.split("/")[1:] == [REGION, "aps", "aws4_request"]
        and {"host", "x-amz-date"} <= set(signed)
        and key in KEYS
        and hmac.compare_digest(fields["Signature"], signature(asked, KEYS[key], scope, signed))
    )
    return vector("1") if right else Reply(403, b'{"message":"signature does not match"}')


@pytest.fixture(autouse=True)
def only_our_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials but those that a test gives."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def given(monkeypatch: pytest.MonkeyPatch, *, key: str = "AKIDONE", token: str = "") -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS[key])
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)


async def asked_of_amp(*, region: str = REGION, times: int = 1) -> list[object]:
    async with standing_in(verifying) as server:
        auth = AmpAuth(Session(), region=region)
        async with client_for(f"{server.url}/workspaces/ws-1", auth=auth) as client:
            backend = Backend(client, timeout_s=30.0, max_bytes=10_000)
            return [await backend.ask("api/v1/query", FORM) for _ in range(times)]


@pytest.mark.parametrize("token", ["", "a session's token"])
async def test_a_signed_query_is_accepted(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Method, path, body, host and token are what was signed, with plain and temporary keys."""
    given(monkeypatch, token=token)
    (answer,) = await asked_of_amp()
    assert isinstance(answer, dict)


async def test_a_wrong_key_or_region_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's check has teeth: another secret or another region is a 403."""
    given(monkeypatch)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    (answer,) = await asked_of_amp()
    assert isinstance(answer, Failure)
    assert answer.cause == "http_403"
    given(monkeypatch)
    (answer,) = await asked_of_amp(region="us-east-1")
    assert isinstance(answer, Failure)


async def test_no_credentials_are_a_failure_of_their_own() -> None:
    """Without credentials nothing is sent, and the cause says that it is ours to mend."""
    (answer,) = await asked_of_amp()
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.cause) == (Missing.SCRAPE_FAILED, "credentials")


def test_the_signature_is_the_one_botocore_makes() -> None:
    """Headers that httpx adds on its own do not change the signature: botocore, given method, URL,
    body, host and content type alone, makes the same."""
    keys = ReadOnlyCredentials("AKIDONE", KEYS["AKIDONE"], None)
    request = httpx.Request(
        "POST",
        "https://aps.example/workspaces/ws-1/api/v1/query",
        data=FORM,
        headers={"X-Trace": "1"},
    )
    request.read()
    sign(request, keys, region=REGION)
    alone = AWSRequest(
        method="POST",
        url=str(request.url),
        data=request.content,
        headers={"Host": "aps.example", "Content-Type": request.headers["content-type"]},
    )
    alone.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials("AKIDONE", KEYS["AKIDONE"]), "aps", REGION)
    alone.headers["X-Amz-Date"] = request.headers["X-Amz-Date"]
    wanted = signer.signature(signer.string_to_sign(alone, signer.canonical_request(alone)), alone)
    assert request.headers["Authorization"].endswith(f"Signature={wanted}")


PROCESS = """
    import json, pathlib, sys, time
    from datetime import datetime, timedelta, timezone
    calls = pathlib.Path(sys.argv[1])
    n = len(calls.read_text()) if calls.exists() else 0
    calls.write_text("x" * (n + 1))
    time.sleep(float(sys.argv[2]))
    key, secret = json.loads(sys.argv[3])[min(n, 1)]
    soon = datetime.now(timezone.utc) + timedelta(minutes=5)
    print(json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret,
                      "Expiration": soon.isoformat()}))
"""


def credential_process(tmp_path: Path, *, takes_s: float) -> None:
    """Let the chain get its credentials from a program that takes its time."""
    program = tmp_path / "credentials.py"
    program.write_text(textwrap.dedent(PROCESS))
    keys = '[[\\"AKIDONE\\",\\"secret one\\"],[\\"AKIDTWO\\",\\"secret two\\"]]'
    command = f'{sys.executable} {program} {tmp_path / "calls"} {takes_s} "{keys}"'
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {command}\n")


async def test_credentials_that_expire_are_renewed(tmp_path: Path) -> None:
    """Credentials near their end are fetched again through the chain, and the new ones sign."""
    credential_process(tmp_path, takes_s=0.0)
    async with standing_in(verifying) as server:
        auth = AmpAuth(Session(), region=REGION)
        async with client_for(server.url, auth=auth) as client:
            backend = Backend(client, timeout_s=30.0, max_bytes=10_000)
            for _ in range(2):
                assert isinstance(await backend.ask("api/v1/query", FORM), dict)
    used = [
        asked.headers["Authorization"].partition("Credential=")[2][:7] for asked in server.asked
    ]
    assert used[-1] == "AKIDTWO"


async def test_slow_credentials_do_not_stop_the_loop(tmp_path: Path) -> None:
    """While the chain waits for a program, everything else in the process goes on."""
    credential_process(tmp_path, takes_s=1.0)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    (answer,) = await asked_of_amp()
    ticking.cancel()
    assert isinstance(answer, dict)
    assert ticks >= 10  # a loop that was held for the second would have ticked once or twice
