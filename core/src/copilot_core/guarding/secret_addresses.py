"""Addresses that are secrets: of databases, of people, of machines, and what opens a URL.

    urls       addresses of databases whole; of any other URL what stands before its @, and the
               query of a signed one
    dsns       the same in other notations: `user:password@host`, `host=… password=…`, JDBC
    addresses  e-mail and IP; loopback and 0.0.0.0 tell nothing and stay

Linear, as `copilot_core.guarding.secrets_found` asks: bounded repetitions, no scan twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import Final

from copilot_core.guarding.secret_shapes import Secret
from copilot_core.guarding.secret_spans import Spans, without_tail

# --- addresses of databases, user and password of URLs --------------------------------------------

_COLONS: Final = re.compile("://")
_IN_SCHEME: Final = re.compile(r"[A-Za-z0-9+.:\-]")
_URL_RUN: Final = re.compile(r"[^\s\"'`<>\x00]+")
_DSN_SCHEME: Final = re.compile(
    r"(?:jdbc|postgres|postgresql|pgx|cockroach|mysql|mariadb|mongodb|redis|rediss|valkey|amqp"
    r"|amqps|kafka|nats|sqlserver|mssql|oracle|clickhouse|cassandra|snowflake|redshift|memcached"
    r"|ldap|ldaps|smtp|smtps|db2|hive|presto|trino|bolt|neo4j|couchbase|elasticsearch)(?:[+:].*)?",
    re.IGNORECASE | re.DOTALL,
)
_GO_DSN: Final = re.compile(
    r"[^\s:@/\"']{1,64}:[^\s@\"']{0,128}@(?:tcp|unix|udp)\([^)\s]{0,200}\)\S{0,200}"
)
_JDBC: Final = re.compile(r"\bjdbc:[A-Za-z0-9]{1,20}:[^\s\"'<>\\\x00]+")
_AT_HOST: Final = re.compile(
    r"(?<![\w.+\-/])[\w.+\-]{1,64}:[^\s@:/\"'<>\x00]{3,128}@[A-Za-z0-9\[][A-Za-z0-9.:\[\]\-]{0,253}"
)
_CONNINFO: Final = re.compile(
    r"\b(?:host|hostaddr|port|dbname|user|password|sslmode|server|database|uid|user id"
    r"|initial catalog|data source|addr|endpoint|accountname|defaultendpointsprotocol)=",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(
    r"""[A-Za-z][A-Za-z_ ]{0,40}=(?:'[^']{0,200}'|"[^"]{0,200}"|[^\s;,"']{0,300})[;\s]{0,3}"""
)


def urls(text: str) -> Spans:
    for run in _URL_RUN.finditer(text):
        colons = [m.start() for m in _COLONS.finditer(text, run.start(), run.end())]
        for colon, following in pairwise((*colons, run.end())):
            scheme = _scheme_before(text, colon, run.start())
            if _DSN_SCHEME.fullmatch(scheme):
                end = without_tail(text, colon, run.end())
                yield colon - len(scheme), end, Secret.DSN
                break
            yield from _opened(text, colon + 3, following)


def _scheme_before(text: str, colon: int, floor: int) -> str:
    begin = colon
    while begin > max(floor, colon - 40) and _IN_SCHEME.match(text[begin - 1]):
        begin -= 1
    return text[begin:colon].lstrip("+.:-0123456789")


def _opened(text: str, at: int, end: int) -> Spans:
    """User and password of a URL whose authority begins at `at`; the signature of a signed one."""
    slash = min((p for p in (text.find(c, at, end) for c in "/?#") if p >= 0), default=end)
    sign = text.rfind("@", at, slash)
    if sign < 0 and slash < end:  # a password with a slash in it
        sign = text.rfind("@", at, min(end, at + 300))
        sign = sign if ":" in text[at:sign] and "?" not in text[at:sign] else -1
    if sign > at:
        yield at, sign, Secret.CREDENTIALS
    query = text.find("?", max(at, sign), end)
    if query >= 0 and text.find("X-Amz-", query, end) >= 0:  # a token of Aurora DSQL is such a URL
        yield query + 1, end, Secret.CREDENTIALS


def dsns(text: str) -> Spans:
    for match in _GO_DSN.finditer(text):
        yield match.start(), match.end(), Secret.DSN
    for match in _JDBC.finditer(text):
        yield match.start(), match.end(), Secret.DSN
    for match in _AT_HOST.finditer(text):
        yield match.start(), match.end(), Secret.DSN
    at = 0
    while first := _CONNINFO.search(text, at):
        end, named = first.start(), 0
        while pair := _PAIR.match(text, end):
            if not _CONNINFO.match(text, end) and named < 2:
                break
            named += bool(_CONNINFO.match(text, end))
            end = pair.end()
        if named >= 3:
            yield first.start(), end, Secret.DSN
        at = max(end, first.end())


# --- e-mail and IP --------------------------------------------------------------------------------

_LOCAL: Final = re.compile(r"[A-Za-z0-9._%+'\-]+")
_DOMAIN: Final = re.compile(
    r"(?:@|%40|\(at\)|\[at\])[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,7}\.[A-Za-z]{2,24}"
)
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d)(?!\.\d)")
_IPV4_NAMED: Final = re.compile(r"(?<![A-Za-z0-9])ip-\d{1,3}(?:-\d{1,3}){3}(?!\d)", re.IGNORECASE)
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,45}(?![\w:])")


def addresses(text: str) -> Spans:
    before = 0
    for match in _DOMAIN.finditer(text):
        begin = match.start()
        floor = max(before, begin - 64)
        while begin > floor and _LOCAL.match(text[begin - 1]):
            begin -= 1
        if begin < match.start():
            yield begin, match.end(), Secret.EMAIL
        before = match.end()
    for match in _IPV4.finditer(text):
        if _names_a_host(IPv4Address, match.group()):
            yield match.start(), match.end(), Secret.IP
    for match in _IPV4_NAMED.finditer(text):
        yield match.start(), match.end(), Secret.IP
    for match in _IPV6.finditer(text):
        address = match.group().rstrip(".")
        if _names_a_host(IPv6Address, address):
            yield match.start(), match.start() + len(address), Secret.IP


def _names_a_host(kind: Callable[[str], IPv4Address | IPv6Address], text: str) -> bool:
    """Whether it is an address, and one that tells something: loopback, 0.0.0.0 and `[::2]` do
    not."""
    try:
        address = kind(text)
    except ValueError:
        return False
    few = isinstance(address, IPv6Address) and sum(bool(g) for g in text.split(":")) < 2
    return not (address.is_loopback or address.is_unspecified or few)
