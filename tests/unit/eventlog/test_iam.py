"""Login tokens of Aurora DSQL, signed offline with botocore."""

from __future__ import annotations

from datetime import UTC, datetime  # botocore's clock speaks datetime
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.session import Session

from copilot_core.errors import Unavailable
from copilot_eventlog.iam import TokenSigner

HOST = "abc.dsql.eu-west-1.on.aws"


class CountedSession(Session):
    """A session with fixed credentials that counts the clients it builds."""

    clients = 0

    def create_client(self, *args: object, **kwargs: object) -> object:
        self.clients += 1
        return super().create_client(*args, **kwargs)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> CountedSession:
    frozen = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: frozen)
    session = CountedSession()
    session.set_credentials("AKIDEXAMPLE", "secret", "session-token")
    return session


def signer(session: Session, *, user: str = "copilot") -> TokenSigner:
    """A signer for one role on the test's cluster."""
    return TokenSigner(host=HOST, user=user, region="eu-west-1", session=session)


async def test_tokens_are_deterministic(session: CountedSession) -> None:
    """At one instant, with one pair of keys, every token is the same."""
    sign = signer(session)
    assert await sign() == await sign() == await signer(session)()


async def test_one_client_for_all_tokens(session: CountedSession) -> None:
    """However many connections log in, one client is built."""
    sign = signer(session)
    for _ in range(5):
        await sign()
    assert session.clients == 1


@pytest.mark.parametrize(
    ("user", "action"), [("admin", "DbConnectAdmin"), ("copilot", "DbConnect")]
)
async def test_the_role_decides_the_action(session: CountedSession, user: str, action: str) -> None:
    """`admin` asks for DbConnectAdmin, every other role for DbConnect; for 15 minutes, for dsql."""
    token = await signer(session, user=user)()
    assert token.startswith(f"{HOST}/?")
    query = {key: value[0] for key, value in parse_qs(urlsplit("https://" + token).query).items()}
    assert query["Action"] == action
    assert query["X-Amz-Expires"] == "900"
    assert query["X-Amz-Date"] == "20260301T030000Z"
    assert query["X-Amz-Credential"] == "AKIDEXAMPLE/20260301/eu-west-1/dsql/aws4_request"
    assert query["X-Amz-Security-Token"] == "session-token"


async def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Without AWS credentials the error says whose login failed and what to give."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    with pytest.raises(Unavailable, match="role copilot") as caught:
        await signer(Session())()
    assert "dsql:DbConnect" in caught.value.todo
