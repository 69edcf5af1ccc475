"""What each TLS setting lets through, against a real handshake.

The test's PostgreSQL is built without TLS, so a small proxy in front of it answers the protocol's
request for encryption and passes the plain bytes on.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from copilot_core.errors import Unavailable
from copilot_eventlog.postgres import open_log
from copilot_eventlog.settings import EventLogSettings
from tests.infra.components import required

SSL_REQUEST_BYTES = 8
"""Length and code: what a client sends before anything else when it wants encryption."""


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key, as PEM files."""

    cert: Path
    key: Path


def certificate(folder: Path, name: str) -> Certificate:
    """A certificate for one subject alternative name (`IP:127.0.0.1`, `DNS:…`), valid today."""
    openssl = shutil.which("openssl")
    if openssl is None:
        message = "TLS is tested with certificates that the program openssl makes; install it"
        (pytest.fail if required() else pytest.skip)(message)
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={name}",
         "-keyout", made.key, "-out", made.cert],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made


class TlsProxy:
    """Speaks TLS with a client and plain bytes with the server behind; `port` is where."""

    def __init__(self, behind: str, made: Certificate) -> None:
        place = urlsplit(behind)
        self._behind = (place.hostname or "", place.port or 0)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(made.cert, made.key)
        self.port = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(SSL_REQUEST_BYTES)
        writer.write(b"S")
        try:
            await writer.start_tls(self._context)
            to_reader, to_writer = await asyncio.open_connection(*self._behind)
            await asyncio.gather(self._pipe(reader, to_writer), self._pipe(to_reader, writer))
        except OSError:
            writer.close()  # a client that does not trust us hangs up

    @staticmethod
    async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
        sink.close()


@pytest.fixture
async def proxied(
    pg_dsn: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncGenerator[tuple[str, Certificate]]:
    """The address of a database behind TLS, and the certificate it shows."""
    made = certificate(tmp_path, request.param)
    proxy = TlsProxy(pg_dsn, made)
    server = await proxy.start()
    place = urlsplit(pg_dsn)
    yield place._replace(netloc=f"{place.username}@127.0.0.1:{proxy.port}").geturl(), made
    server.close()


async def reach(dsn: str, **settings: object) -> int:
    """Use the database once; the error says what hindered it."""
    values = {"log_dsn": dsn, "log_connect_timeout_s": 2.0, **settings}
    log = await open_log(EventLogSettings.model_validate(values))
    try:
        return await log.transact(lambda con: con.fetchval("SELECT 1"), where="test")
    finally:
        await log.close()


OURS, ANOTHER = "IP:127.0.0.1", "DNS:another.example"


@pytest.mark.parametrize("proxied", [OURS], indirect=True)
async def test_a_trusted_certificate(proxied: tuple[str, Certificate]) -> None:
    """verify-full takes a certificate of the right name from an authority that it was given."""
    dsn, made = proxied
    assert await reach(dsn, log_tls="verify-full", log_tls_ca_file=made.cert) == 1


@pytest.mark.parametrize("proxied", [OURS], indirect=True)
async def test_an_unknown_authority(proxied: tuple[str, Certificate]) -> None:
    """verify-full refuses a certificate nobody vouches for, and says which setting is about it."""
    with pytest.raises(Unavailable, match="COPILOT_LOG_TLS_CA_FILE"):
        await reach(proxied[0], log_tls="verify-full")


@pytest.mark.parametrize("proxied", [ANOTHER], indirect=True)
async def test_another_name(proxied: tuple[str, Certificate]) -> None:
    """verify-full refuses a trusted certificate that is for somebody else."""
    dsn, made = proxied
    with pytest.raises(Unavailable, match="TLS with the database failed"):
        await reach(dsn, log_tls="verify-full", log_tls_ca_file=made.cert)


@pytest.mark.parametrize("proxied", [ANOTHER], indirect=True)
async def test_require_only_encrypts(proxied: tuple[str, Certificate]) -> None:
    """require encrypts with whoever answers."""
    assert await reach(proxied[0], log_tls="require") == 1


async def test_a_server_without_tls(pg_dsn: str) -> None:
    """Neither setting falls back to plain text when the server has no TLS."""
    for tls in ("require", "verify-full"):
        with pytest.raises(Unavailable):
            await reach(pg_dsn, log_tls=tls)
