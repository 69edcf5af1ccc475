"""Secrets of many kinds in many places, made by rule: the same on every run, none of them real.

Nothing here is stored: a secret that stands in a repository is a secret that scanners of others
report. `SEED` and the tables make them all.

    KINDS     a name, how one is made, and whether it is known wherever it stands (`BARE`) or only
              as the value of something that is called a secret (`NAMED`)
    places    where a secret stands: log lines, JSON and JSON in JSON, YAML, environments, command
              lines, headers, URLs, stack traces, disguises
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

SEED: Final = 20261123
ROUNDS: Final = 4
"""Secrets of each kind in each place."""

B62: Final = string.ascii_letters + string.digits
B64: Final = B62 + "+/"
URL64: Final = B62 + "-_"
B36: Final = string.ascii_lowercase + string.digits
UPPER: Final = string.ascii_uppercase + string.digits
HEX: Final = "0123456789abcdef"

Rng = random.Random
Make = Callable[[Rng], str]


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with a secret in it. `parts` are what must not be read afterwards."""

    kind: str
    place: str
    text: str
    parts: tuple[str, ...]


def run(alphabet: str, length: int) -> Make:
    return lambda rng: "".join(rng.choice(alphabet) for _ in range(length))


def form(*parts: str | Make) -> Make:
    return lambda rng: "".join(p if isinstance(p, str) else p(rng) for p in parts)


def hidden(make: Make) -> Make:
    """The part of a form that must not be read; a form without one is a secret as a whole."""
    return lambda rng: f"{_BEGIN}{make(rng)}{_END}"


_BEGIN: Final = "\x02"
_END: Final = "\x03"


def one_of(*makes: Make) -> Make:
    return lambda rng: rng.choice(makes)(rng)


def word(*words: str) -> Make:
    return lambda rng: rng.choice(words)


def number(low: int, high: int) -> Make:
    return lambda rng: str(rng.randint(low, high))


def _jwt(rng: Rng) -> str:
    def part(body: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")

    head = part({"alg": rng.choice(("HS256", "RS256", "ES256")), "typ": "JWT"})
    body = part({"sub": run(B36, 12)(rng), "iat": rng.randint(1_700_000_000, 1_800_000_000)})
    return f"{head}.{body}.{run(URL64, 43)(rng)}"


def _pem(kind: str) -> Make:
    def make(rng: Rng) -> str:
        lines = [run(B64, 64)(rng) for _ in range(4)]
        return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"))

    return make


def _pem_in_json(rng: Rng) -> str:
    return _pem("PRIVATE KEY")(rng).replace("\n", "\\n")


def _ipv4(rng: Rng) -> str:
    first = rng.choice((10, 172, 192, 34, 52, 100))
    return f"{first}.{rng.randint(1, 254)}.{rng.randint(0, 254)}.{rng.randint(1, 254)}"


def _ipv6(rng: Rng) -> str:
    groups = [f"{rng.randint(0x1000, 0xFFFF):x}" for _ in range(8)]
    return (
        "2001:db8:" + ":".join(groups[:6])
        if rng.random() < 0.5
        else f"fd00:{groups[0]}::{groups[1]}"
    )


HOST: Final = word("db.internal", "aurora.eu-west-1.on.aws", "pg-0.pg.svc", "cache-1", "10.3.4.5")
USER: Final = word("temporal", "admin", "svc_orders", "root")
WEAK: Final = word(
    "hunter2",
    "Summer2026!",
    "letmein99",
    "changeme123",
    "p@ssw0rd",
    "Tr0ub4dor&3",
    "qwerty12345",
    "temporal!prod",
    "s3cr3t-sauce",
    "12345678",
    "iloveyou",
    "correcthorsebattery",
    "Pa$$w0rd#1",
)
STRONG: Final = one_of(
    run(B62, 16), run(B62 + "!#%^*", 18), run(B64, 24), run(URL64, 22), run(HEX, 32)
)

BARE: Final[dict[str, Make]] = {
    # --- clouds
    "aws access key id": form(word("AKIA", "ASIA"), run(UPPER, 16)),
    "aws secret key": run(B64, 40),
    "aws session token": form("IQoJb3JpZ2luX2Vj", run(B64, 200)),
    "bedrock key": form("ABSK", run(B64, 120)),
    "gcp api key": form("AIza", run(URL64, 35)),
    "gcp oauth": form("ya29.", run(URL64, 60)),
    "gcp client secret": form("GOCSPX-", run(URL64, 28)),
    "azure client secret": form(run(B62, 3), number(0, 9), "Q~", run(B62, 34)),
    "azure storage key": form(run(B64, 86), "=="),
    "digitalocean": form("dop_v1_", run(HEX, 64)),
    # --- code and packages
    "github token": form(word("ghp_", "gho_", "ghs_", "ghu_", "ghr_"), run(B62, 36)),
    "github fine-grained": form("github_pat_", run(B62, 22), "_", run(B62, 59)),
    "gitlab token": form("glpat-", run(URL64, 20)),
    "npm token": form("npm_", run(B62, 36)),
    "pypi token": form("pypi-AgEIcHlwaS5vcmc", run(URL64, 90)),
    "docker token": form("dckr_pat_", run(URL64, 27)),
    "atlassian token": form("ATATT3xFfGF0", run(URL64, 160), "=", run(UPPER, 8)),
    # --- messages and payment
    "slack bot token": form(
        "xoxb-", number(10**11, 10**12), "-", number(10**11, 10**12), "-", run(B62, 24)
    ),
    "slack app token": form(
        "xapp-1-", run(UPPER, 11), "-", number(10**11, 10**12), "-", run(HEX, 64)
    ),
    "slack hook": form(
        "https://hooks.slack.com/services/T",
        hidden(run(UPPER, 8)),
        "/B",
        run(UPPER, 8),
        "/",
        hidden(run(B62, 24)),
    ),
    "stripe key": form(word("sk_live_", "rk_live_", "sk_test_"), run(B62, 24)),
    "stripe hook": form("whsec_", run(B62, 32)),
    "sendgrid": form("SG.", run(URL64, 22), ".", run(URL64, 43)),
    "twilio": form("SK", run(HEX, 32)),
    "telegram bot": form(number(10**8, 10**9), ":AA", run(URL64, 33)),
    "discord hook": form(
        "https://discord.com/api/webhooks/", number(10**17, 10**18), "/", hidden(run(URL64, 68))
    ),
    # --- operations
    "vault token": form("hvs.", run(URL64, 90)),
    "grafana token": form("glsa_", run(B62, 32), "_", run(HEX, 8)),
    "new relic": form("NRAK-", run(UPPER, 27)),
    "databricks": form("dapi", run(HEX, 32)),
    "tailscale": form("tskey-auth-", run(B62, 12), "-", run(B62, 32)),
    "age key": form("AGE-SECRET-KEY-1", run(UPPER, 58)),
    "datadog key": run(HEX, 32),
    "hex key 256": run(HEX, 64),
    "fernet key": form(run(URL64, 43), "="),
    "shopify": form("shpat_", run(HEX, 32)),
    # --- models
    "openai key": form("sk-proj-", run(URL64, 48)),
    "anthropic key": form("sk-ant-api03-", run(URL64, 90), "AA"),
    "old openai key": form("sk-", run(B62, 48)),
    "hugging face": form("hf_", run(string.ascii_letters, 34)),
    # --- sessions and keys
    "jwt": _jwt,
    "pem": one_of(_pem("RSA PRIVATE KEY"), _pem("EC PRIVATE KEY"), _pem("OPENSSH PRIVATE KEY")),
    "pem in json": _pem_in_json,
    "random 32": run(B62, 32),
    "random 48": run(URL64, 48),
    # --- databases
    "postgres dsn": form(
        "postgresql://", USER, ":", hidden(STRONG), "@", HOST, ":5432/temporal?sslmode=require"
    ),
    "postgres dsn, weak": form(
        "postgres://", USER, ":", hidden(WEAK), "@", HOST, "/temporal_visibility"
    ),
    "mysql dsn": form(USER, ":", hidden(STRONG), "@tcp(", HOST, ":3306)/temporal?parseTime=true"),
    "redis dsn": form("redis://:", hidden(STRONG), "@", HOST, ":6379/0"),
    "mongo dsn": form("mongodb+srv://", USER, ":", hidden(WEAK), "@", HOST, "/orders"),
    "amqp dsn": form("amqps://", USER, ":", hidden(STRONG), "@", HOST, ":5671/vhost"),
    "conninfo": form(
        "host=", HOST, " port=5432 dbname=temporal user=", USER, " password=", hidden(STRONG)
    ),
    "ado string": form(
        "Server=", HOST, ";Database=temporal;User Id=", USER, ";Password=", hidden(STRONG), ";"
    ),
    "pgpass": form(HOST, ":5432:temporal:", USER, ":", hidden(STRONG)),
    "dsql token": form(
        "q",
        run(B36, 25),
        ".dsql.eu-west-1.on.aws/?Action=DbConnect",
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=",
        hidden(form("AKIA", run(UPPER, 16))),
        "%2F20261123%2Feu-west-1%2Fdsql%2Faws4_request&X-Amz-Expires=900&X-Amz-Signature=",
        hidden(run(HEX, 64)),
    ),
    "url with password": form(
        "https://", USER, ":", hidden(WEAK), "@grafana.", HOST, "/api/health"
    ),
    # --- people and hosts
    "e-mail": form(
        word("anna.berg", "j.doe", "ops+prod", "o'neil", "li_wei"),
        "@",
        word("example.com", "corp.example.org", "mail.example.co.uk"),
    ),
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "aws host": form(
        hidden(lambda rng: "ip-" + _ipv4(rng).replace(".", "-")), ".eu-west-1.compute.internal"
    ),
}

NAMED: Final[dict[str, Make]] = {
    "weak password": WEAK,
    "strong password": STRONG,
    "short token": run(B62, 12),
    "uuid secret": form(
        run(HEX, 8), "-", run(HEX, 4), "-4", run(HEX, 3), "-a", run(HEX, 3), "-", run(HEX, 12)
    ),
    "base64 secret": form(run(B64, 31), "="),
    "hex secret": run(HEX, 24),
    "with signs": run(B62 + "@#%^*+!?$", 14),
    "digits": number(10**7, 10**9),
}

SECRET_NAMES: Final = (
    "password",
    "passwd",
    "PASSWORD",
    "db.password",
    "DB_PASSWORD",
    "PGPASSWORD",
    "secret",
    "client_secret",
    "clientSecret",
    "api_key",
    "apiKey",
    "X-Api-Key",
    "API-KEY",
    "token",
    "access_token",
    "accessToken",
    "refresh_token",
    "auth_token",
    "aws_secret_access_key",
    "AWS_SECRET_ACCESS_KEY",
    "secretAccessKey",
    "private_key",
    "encryption_key",
    "passphrase",
    "session_id",
    "TEMPORAL_CLOUD_API_KEY",
    "COPILOT_API_TOKEN",
    "kafka_password",
    "sasl.password",
    "ssl.key.password",
    "credentials",
    "pwd",
    "service_account_key",
    "webhook_secret",
)

BARE_PLACES: Final[dict[str, str]] = {
    "alone": "{s}",
    "sentence": "could not use {s} here",
    "end of sentence": "rejected: {s}.",
    "quoted": 'cannot parse "{s}" as a value',
    "in parentheses": "unexpected input ({s}), giving up",
    "json": '{{"level":"error","msg":"call failed","input":{j},"attempt":3}}',
    "json in json": '{{"event":{jj}}}',
    "python dict": "{{'level': 'error', 'input': '{s}', 'attempt': 3}}",
    "logfmt": 'level=error msg="call failed" input={s} attempt=3',
    "go struct": "&{{Level:error Input:{s} Attempt:3}}",
    "stack trace": "panic: bad input {s}\n\ngoroutine 17 [running]:\n\t/src/main.go:17 +0x1d",
    "console": '2026-11-23T03:07:30.123Z\tERROR\tcall failed\t{{"input": {j}}}',
    "list": "tried [a, {s}, b]",
    "arrow": "input -> {s}",
    "path": "GET /v1/objects/{s} failed with 403",
    "query": "GET /v1/objects?page=2&input={s}&size=10 failed",
    "zero width": "could not use {zw} here",
    "bidi": "could not use \u202e{s}\u202c here",
    "html": "<td>{s}</td>",
    "after colour": "\x1b[31m{s}\x1b[0m",
}
NOT_IN_A_PATH: Final = frozenset(
    (
        "pem",
        "pem in json",
        "conninfo",
        "ado string",
        "mysql dsn",
        "pgpass",
        "ipv6",
        "mongo dsn",
        "postgres dsn",
        "postgres dsn, weak",
        "redis dsn",
        "amqp dsn",
        "url with password",
        "dsql token",
        "slack hook",
        "discord hook",
    )
)
"""What does not stand in a path, a query or a list without becoming something else."""
LOOSE: Final = frozenset(("path", "query", "go struct", "logfmt", "list", "arrow", "zero width"))

NAMED_PLACES: Final[dict[str, str]] = {
    "assignment": "{n}={s}",
    "logfmt": "level=error {n}={s} attempt=3",
    "spaced": "{n} = {s}",
    "colon": "{n}: {s}",
    "log line": "login failed, {n}: {s}, giving up",
    "json": '{{"user":"bob","{n}":{j},"attempt":3}}',
    "json, spaced": '{{ "{n}" : {j} }}',
    "json in json": '{{"event":{nj}}}',
    "json in json in json": '{{"outer":{njj}}}',
    "python dict": "{{'user': 'bob', '{n}': '{s}'}}",
    "python repr": "Settings(user='bob', {n}='{s}', port=5432)",
    "go map": "map[user:bob {n}:{s}]",
    "yaml": "user: bob\n{n}: {s}\nport: 5432",
    "yaml, quoted": 'user: bob\n{n}: "{s}"\nport: 5432',
    "environment": "export {n}='{s}'",
    "flag": "worker --{n} {s} --port 5432",
    "flag=": "worker --{n}={s} --port 5432",
    "query": "GET /login?user=bob&{n}={s}&x=1 HTTP/1.1",
    "header": "{n}: {s}\r\nContent-Type: text/plain",
    "ecs": '[{{"name": "{n}", "value": {j}}}]',
    "xml": "<config><{n}>{s}</{n}></config>",
    "zap pairs": '"{n}", {j}',
    "arrow": "{n} => '{s}'",
    "brackets": "{n}=[{s}]",
    "zero width": "{nzw}={s}",
    "lookalike": "{nlook}={s}",
    "fullwidth": "{nwide}={s}",
    "percent": "login%3F{n}%3D{s}",
    "traceback": 'Traceback (most recent call last):\n  File "a.py"\nConnectionError: {n}={s}',
    "toml": 'user = "bob"\n{n} = "{s}"',
}

OTHER_PLACES: Final[dict[str, tuple[str, Make]]] = {
    "bearer": ("Authorization: Bearer {s}", run(URL64, 40)),
    "bearer in json": ('{{"headers":{{"Authorization":"Bearer {s}"}}}}', run(URL64, 24)),
    "bearer, lower": ("sent authorization: bearer {s} to the api", run(B62, 20)),
    "basic": (
        "Authorization: Basic {s}",
        lambda rng: base64.b64encode(f"bob:{WEAK(rng)}".encode()).decode(),
    ),
    "sigv4": (
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDXXXX/20261123/eu-west-1/aps, "
        "SignedHeaders=host, Signature={s}",
        run(HEX, 64),
    ),
    "cookie": ("Cookie: theme=dark; sid={s}; lang=en", run(B62, 26)),
    "set-cookie": ("set-cookie: session={s}; HttpOnly", run(URL64, 30)),
    "curl user": ("curl -u bob:{s} https://example.com/x", WEAK),
    "curl header": ("curl -H 'X-Api-Key: {s}' https://example.com/x", run(B62, 20)),
    "mysql flag": ("mysql -h db -u root -p{s} temporal", WEAK),
    "sshpass": ("sshpass -p {s} ssh host", WEAK),
    "said": (
        "the password is {s}, please rotate it",
        word("hunter2", "Winter2027", "tempo-ral-77"),
    ),
    "netrc": ("machine example login bob password {s}", word("hunter2", "x9!kk2", "Winter2027")),
    "sas": (
        "https://acct.blob.core.windows.net/c?sv=2024-01-01&se=2026-12-01&sig={s}",
        form(run(B62, 40), "%3D"),
    ),
    "account key": (
        "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={s};EndpointSuffix=core",
        form(run(B64, 86), "=="),
    ),
    "presigned": (
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIDX%2F2026&X-Amz-Signature={s}",
        run(HEX, 64),
    ),
    "for somebody": ("Password for user bob: {s}", run(B62, 16)),
    "two words": ("api key: {s}", run(B62, 16)),
    "three words": ("Secret Access Key: {s}", run(B62, 16)),
    "said of a key": ("the secret key is {s}", run(B62, 16)),
    "weak name": ("auth={s}", run(B62, 16)),
    "session": ("session={s}", run(B62, 16)),
    "thin arrow": ("password->{s}", run(B62, 16)),
    "pipe": ("password|{s}", run(B62, 16)),
    "xml attribute": ('<add key="Password" value="{s}"/>', run(B62, 16)),
    "kubernetes": ("- name: DB_PASSWORD\n  value: {s}", run(B62, 16)),
    "list of tags": ('{{"Key":"api_token","Value":"{s}"}}', run(B62, 16)),
    "quoted behind a space": ('token "{s}" refused', run(B62, 16)),
    "escaped space": ("Bearer%20{s}", run(B62, 16)),
    "spanish": ("contraseña={s}", run(B62, 16)),
    "russian": ("пароль: {s}", run(B62, 16)),
    "in angles": ("got token <{s}>", run(B62, 16)),
    "jaas": ('PlainLoginModule required username="u" password="{s}";', run(B62, 16)),
    "git": ("git clone https://{s}@github.com/o/r", run(B62, 16)),
    "jdbc": ("jdbc:oracle:thin:scott/{s}@//h:1521/x", run(B62, 16)),
    "identified": ("ALTER USER x IDENTIFIED BY '{s}'", run(B62, 16)),
    "go flag": ("worker -password {s}", run(B62, 16)),
    "bracketed": ("password [{s}] rejected", run(B62, 16)),
}


def planted() -> Iterator[Planted]:
    """Every planted secret, in order."""
    rng = random.Random(SEED)
    for kind, make in BARE.items():
        for place, template in BARE_PLACES.items():
            if kind in NOT_IN_A_PATH and place in LOOSE:
                continue
            for _ in range(ROUNDS):
                yield _bare(kind, place, template, make(rng))
    for kind, make in NAMED.items():
        for place, template in NAMED_PLACES.items():
            for name in rng.sample(SECRET_NAMES, 2 * ROUNDS):
                yield _named(kind, place, template, name=name, secret=make(rng))
    for place, (template, make) in OTHER_PLACES.items():
        for _ in range(3 * ROUNDS):
            secret, parts = taken_apart(make(rng))
            yield Planted(place, place, template.format(s=secret), parts)


def taken_apart(made: str) -> tuple[str, tuple[str, ...]]:
    """A secret as it is written, and the stretches of it that must not be read."""
    secret = made.replace(_BEGIN, "").replace(_END, "")
    if "-----BEGIN" in secret:
        return secret, tuple(n for n in secret.replace("\\n", "\n").split("\n")[1:-1] if n)
    hidden_parts = tuple(part.partition(_END)[0] for part in made.split(_BEGIN)[1:])
    return secret, hidden_parts or (secret,)


def _bare(kind: str, place: str, template: str, made: str) -> Planted:
    secret, parts = taken_apart(made)
    text = template.format(
        s=secret,
        j=json.dumps(secret),
        jj=json.dumps(json.dumps({"input": secret})),
        zw="\u200b".join(secret),
    )
    return Planted(kind, place, text, parts)


_LOOKALIKE: Final = str.maketrans("aeocp", "\u0430\u0435\u043e\u0441\u0440")


def _named(kind: str, place: str, template: str, *, name: str, secret: str) -> Planted:
    inner = json.dumps({name: secret})
    text = template.format(
        n=name,
        s=secret,
        j=json.dumps(secret),
        nj=json.dumps(inner),
        njj=json.dumps(json.dumps(inner)),
        nzw="\u200b".join(name),
        nlook=name.translate(_LOOKALIKE),
        nwide="".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in name),
    )
    return Planted(kind, place, text, (secret,))
