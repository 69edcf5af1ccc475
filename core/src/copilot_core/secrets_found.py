"""Where secrets stand in a text.

Theory of operation. Seven finders, from the surest to the vaguest. Each sees what the ones before
left: a stretch that was found, or is known to be no secret, is covered by `_COVER`, a character
that takes part in no rule. Spans are of the text that was given.

    pem        from -----BEGIN … to its -----END, or to the end of the text
    urls       addresses of databases whole; of any other URL what stands before its @
    headers    what follows Authorization, Cookie, Bearer, Basic; what follows --user
    named      the value of a name whose last word is one of `SECRET_WORDS`
    prefixed   keys whose issuer gave them a form
    addresses  e-mail and IP; loopback and 0.0.0.0 tell nothing and stay
    chance     long runs that look like made by chance (`copilot_core.randomness`)

UUIDs, labelled digests and ids are covered before the last step.

Linear in the length of the text: every expression is a literal, or one character class repeated,
or bounded by a number; a scan goes on where the last one ended. The sum of the bounds is some
hundreds of steps per character in the worst case, a handful in a log line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import Final

from copilot_core.randomness import is_random
from copilot_core.secret_shapes import (
    GLUED_ENDINGS,
    KEY_WORDS,
    OPEN_WORDS,
    PREFIXES,
    QUALIFIERS,
    SECRET_IDS,
    SECRET_WORDS,
    STATE_WORDS,
    Secret,
)

_COVER: Final = "\x00"


@dataclass(frozen=True, slots=True)
class Found:
    """A secret: characters `start` to `end`, and what it is."""

    start: int
    end: int
    secret: Secret


Spans = Iterator[tuple[int, int, Secret | None]]
"""Start, end, and what is there; None for what is known to be no secret."""


def secrets_found(text: str) -> tuple[Found, ...]:
    """Every secret in a text, in order; spans do not overlap. `text` should be a skeleton."""
    found: list[Found] = []
    left = text.replace(_COVER, " ")
    for finder in _FINDERS:
        spans = sorted(finder(left), key=lambda span: span[:2])
        if not spans:
            continue
        parts, at = [], 0
        for start, end, secret in spans:
            if start < at or start >= end:
                continue
            parts += (left[at:start], _COVER * (end - start))
            at = end
            if secret is not None:
                found.append(Found(start, end, secret))
        left = "".join((*parts, left[at:]))
    return tuple(sorted(found, key=lambda f: f.start))


# --- markers of our own, keys in armour ----------------------------------------------------------

_MARKER: Final = re.compile(r"\[(?:" + "|".join(re.escape(s) for s in Secret) + r")\]")


def _markers(text: str) -> Spans:
    """What a guard wrote before: guarding twice changes nothing."""
    for match in _MARKER.finditer(text):
        yield match.start(), match.end(), None


_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}-----")


def _pem(text: str) -> Spans:
    at = 0
    while begin := _BEGIN.search(text, at):
        end = text.find("-----END", begin.end())
        close = text.find("-----", end + 8) if end >= 0 else -1
        at = close + 5 if close >= 0 else len(text)
        yield begin.start(), at, Secret.PEM


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


def _urls(text: str) -> Spans:
    for run in _URL_RUN.finditer(text):
        colons = [m.start() for m in _COLONS.finditer(text, run.start(), run.end())]
        for colon, following in pairwise((*colons, run.end())):
            scheme = _scheme_before(text, colon, run.start())
            if _DSN_SCHEME.fullmatch(scheme):
                end = _without_tail(text, colon, run.end())
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


def _dsns(text: str) -> Spans:
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


# --- headers --------------------------------------------------------------------------------------

_HEADER: Final = re.compile(
    r"\b(?:proxy-)?(?:authorization|set-cookie|cookie|x-amz-security-token)\b[\\\"']{0,4}\s{0,4}"
    r"(?:[:=,]|%3[aAdD])[\[\s]{0,4}[\\\"']{0,4}\s{0,4}",
    re.IGNORECASE,
)
_SCHEMED: Final = re.compile(
    r"\b(?:bearer|basic|digest|negotiate|apikey|token)[ :=]{1,3}(?=[A-Za-z0-9+/=_.~\-]{8})",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9+/=_.~\-]+")
_USER: Final = re.compile(
    r"(?<![\w-])(?:-u|--user|--proxy-user)[ =]{1,2}[\"']?[^\s:\"']{1,64}:(?=[^\s:])"
)
_IDENTIFIED: Final = re.compile(r"\bIDENTIFIED BY [\"']", re.IGNORECASE)
_SHORT_FLAG: Final = re.compile(
    r"\b(?:mysql|mysqldump|mariadb|sshpass|redis-cli|ldapsearch|smbclient)\b"
    r"[^\n|;]{0,80}?\s-[pawU] ?(?=\S)"
)
_HEADER_VALUE: Final = re.compile(r"[^\\\"'\r\n\x00]+")
_NOT_SPACE: Final = re.compile(r"[^\s\"'<>\\\x00]+")


def _headers(text: str) -> Spans:
    for match, value in _followed(_HEADER, _HEADER_VALUE, text):
        if value.group().strip(" .,;)").lower() not in STATE_WORDS:
            yield match.end(), value.end(), Secret.CREDENTIALS
    for match, token in _followed(_SCHEMED, _TOKEN, text):
        if not _is_words(token.group()):
            yield match.end(), token.end(), Secret.CREDENTIALS
    for expression in (_USER, _SHORT_FLAG, _IDENTIFIED):
        for match, secret in _followed(expression, _NOT_SPACE, text):
            yield match.end(), secret.end(), Secret.PASSWORD


def _followed(
    expression: re.Pattern[str], rest: re.Pattern[str], text: str
) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Each match with what follows it; the search goes on behind that, so it stays linear."""
    at = 0
    while match := expression.search(text, at):
        at = match.end()
        if follows := rest.match(text, at):
            at = follows.end()
            yield match, follows


# --- values of names ------------------------------------------------------------------------------

_NAME: Final = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])[A-Za-z_][A-Za-z0-9_.\-]*")
_TELLING: Final = re.compile(
    r"pass|pwd|pw|secret|token|key|cred|auth|cookie|dsn|sig|pat|otp|pin|bearer|webhook|sas|sid|conn|"
    r"jwt|session",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SEPARATOR: Final = re.compile(
    r"[\\\"'`\])]{0,6}(?:"
    r"\s{0,8}(?P<tight>=>|:=|==|=|%3[aAdD]|>(?=[^<\s]{1,200}</))\s{0,8}"
    r"|\s{0,8}(?P<colon>:)\s{0,8}"
    r"|(?<=[\"'`])\s{0,4},\s{0,8}(?:\\{0,4}[\"']value\\{0,4}[\"']\s{0,4}[:=]\s{0,4})?(?=\\{0,4}[\"'`])"
    r"|\s{1,4}(?P<prose>is|was|are|to|set to|of|with value)\s{1,4}"
    r"|(?P<space>\s{1,4})(?=\S))"
)
_OPENING: Final = re.compile(r"\[?\s{0,4}([\\]{0,6}[\"'`]{1,3})")
_UNQUOTED_END: Final = re.compile(
    r"[\"'`\\]+(?=[\s,;:}\])]|$)|[,;&|](?=[A-Za-z_][\w.\-]{0,60}[\"']?\s{0,2}[=:])|</|\x00"
)
_NOT_BLANK: Final = re.compile(r"[^\s\x00]+")
_TAIL: Final = ".,;:)}]>\"'`\\"
MAX_NAME: Final = 128


def _named(text: str) -> Spans:
    at = 0
    while name := _NAME.search(text, at):
        at = name.end()
        if not _TELLING.search(name.group()) or not is_secret_name(name.group()[-MAX_NAME:]):
            continue
        separator = _SEPARATOR.match(text, name.end())
        if separator is None:
            continue
        value = _value(text, name, separator)
        if value and value[0] < value[1]:
            yield *value, Secret.PASSWORD
            at = value[1]


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret: judged by the last word that tells something."""
    words = [w.lower() for w in _WORD.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in QUALIFIERS) and len(words) > 1:
        words.pop()
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("key", "keys"):
        return before in KEY_WORDS
    if last in ("id", "ids"):
        return before in SECRET_IDS
    return last in SECRET_WORDS or last.endswith(GLUED_ENDINGS)


def _value(text: str, name: re.Match[str], separator: re.Match[str]) -> tuple[int, int] | None:
    """The stretch of a name's value; None when what follows says something else."""
    at = separator.end()
    if separator["space"] is not None:
        return _loose(text, name, at)
    if opening := _OPENING.match(text, at):
        begin, end = opening.end(), _closed(text, opening.end(), opening[1])
        inner = text[begin:end].strip()
        return None if inner.lower() in STATE_WORDS or not inner else (begin, end)
    run = _NOT_BLANK.match(text, at)
    if run is None:
        return None
    begin, end = run.start(), _unquoted_end(text, run)
    shown = text[begin:end].strip(_TAIL).lower()
    if not shown or shown in STATE_WORDS or _is_placeholder(text[begin:end]):
        return None
    if name.group().lower() == "pwd" and text[begin] == "/":
        return None  # the shell's working directory
    if separator["prose"] is not None and shown.isalpha() and text[end : end + 1] in (" ", "-"):
        return None  # "no password is needed here"
    if separator["colon"] is not None and _starts_line(text, name.start()):
        line_end = text.find("\n", begin)
        rest = text[begin : line_end if line_end >= 0 else len(text)]
        end = max(end, begin + len(rest.split(_COVER)[0].rstrip())) if _is_yaml(rest) else end
    return begin, end


def _loose(text: str, name: re.Match[str], at: int) -> tuple[int, int] | None:
    """`--password hunter2`, `password hunter2`: behind a space only what is no ordinary word."""
    run = _NOT_BLANK.match(text, at)
    if run is None:
        return None
    begin, end = run.start(), _unquoted_end(text, run)
    shown = text[begin:end].strip(_TAIL)
    flag = text[max(0, name.start() - 2) : name.start()].endswith("-")
    if not shown or shown.startswith("-") or _is_placeholder(shown) or shown.lower() in STATE_WORDS:
        return None
    if opening := _OPENING.match(text, at):  # `WITH PASSWORD 'hunter2'`
        end = _closed(text, opening.end(), opening[1])
        bare = name.group().lower() in ("password", "passwd", "passphrase")
        return (opening.end(), end) if flag or bare else None
    if flag:
        return begin, end
    ordinary = _is_words(shown) or shown[-1:] == "=" or "=" in shown or shown.isdigit()
    return None if ordinary else (begin, end)


def _closed(text: str, begin: int, quote: str) -> int:
    """Where a quoted value ends: at the same quote, not one escaped once more; else at the end."""
    at = begin
    while (end := text.find(quote, at)) >= 0:
        if end == begin or text[end - 1] != "\\" or quote[0] == "\\":
            return end
        at = end + 1
    return len(text)


def _unquoted_end(text: str, run: re.Match[str]) -> int:
    stop = _UNQUOTED_END.search(text, run.start(), run.end())
    end = stop.start() if stop else run.end()
    return _without_tail(text, run.start(), end)


def _without_tail(text: str, begin: int, end: int) -> int:
    while end > begin + 1 and text[end - 1] in _TAIL:
        end -= 1
    return end


def _is_placeholder(value: str) -> bool:
    """`${PASSWORD}`, `<password>`, `***`, `%s`, `$1`: a place for a secret, not one."""
    return (
        not value.strip("*xX.…-_#•")
        or (value[0] in "<{" and len(value) < 40)
        or value.startswith(
            ("${", "{{", "$(", "%(", "%s", "%q", "%v", "$1", "$2", "[]", "()", "nil")
        )
    )


def _starts_line(text: str, at: int) -> bool:
    begin = text.rfind("\n", max(0, at - 40), at) + 1
    if begin == 0 and at > 40:
        return False
    return not text[begin:at].strip(" \t-\"'")


def _is_yaml(rest: str) -> bool:
    """The rest of a line is one value, not a sentence that goes on with other names."""
    return "=" not in rest and ": " not in rest and '":' not in rest


def _is_words(text: str) -> bool:
    """Ordinary words: letters alone, in one case each, maybe joined by signs of a sentence."""
    return all(
        part.isalpha() and (part.islower() or part.isupper() or part.istitle())
        for part in re.split(r"[-_/.,:;()]+", text)
        if part
    )


# --- forms of issuers -----------------------------------------------------------------------------

_PREFIXED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(f"{p.starts}{p.alphabet}{{{p.least},512}}" for p in PREFIXES)
    + ")"
)
_JWT: Final = re.compile(r"(?<![A-Za-z0-9])ey[JK][A-Za-z0-9_\-=]{8,}(?:\.[A-Za-z0-9_\-=]*){0,4}")
_HOOK: Final = re.compile(
    r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
    r"|[a-z0-9-]{1,63}\.webhook\.office\.com|api\.telegram\.org/bot|chat\.googleapis\.com/v1/spaces"
    r"|outlook\.office\.com/webhook)/?(?=\S)",
    re.IGNORECASE,
)
_CRYPT: Final = re.compile(
    r"\$(?:2[abxy]|[156y]|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]{0,10})\$[A-Za-z0-9./+=,$\-]{16,300}"
    r"|\bSCRAM-SHA-256\$[A-Za-z0-9/+=:$]{16,300}"
)
"""Passwords as they are stored: they open nothing, until somebody has guessed them."""
_AZURE: Final = re.compile(r"(?<![A-Za-z0-9_~.\-])[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{28,40}")
_PGPASS: Final = re.compile(
    r"(?<![^\s\"'])[^\s:\"']{1,100}:(?:\d{2,5}|\*):[^\s:\"']{1,64}:[^\s:\"']{1,64}:(?=[^\s:])"
)


def _prefixed(text: str) -> Spans:
    for match in _JWT.finditer(text):
        yield match.start(), match.end(), Secret.JWT
    for match in _PREFIXED.finditer(text):
        if not _is_words(match.group()):
            yield match.start(), match.end(), Secret.KEY
    for match, path in _followed(_HOOK, _NOT_SPACE, text):
        yield match.end(), _without_tail(text, match.end(), path.end()), Secret.KEY
    for expression in (_AZURE, _CRYPT):
        for match in expression.finditer(text):
            yield match.start(), match.end(), Secret.KEY
    for match, secret in _followed(_PGPASS, _NOT_SPACE, text):
        yield match.start(), secret.end(), Secret.DSN


# --- e-mail and IP --------------------------------------------------------------------------------

_LOCAL: Final = re.compile(r"[A-Za-z0-9._%+'\-]+")
_DOMAIN: Final = re.compile(
    r"(?:@|%40|\(at\)|\[at\])[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}"
)
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d)(?!\.\d)")
_IPV4_NAMED: Final = re.compile(r"(?<![A-Za-z0-9])ip-\d{1,3}(?:-\d{1,3}){3}(?!\d)", re.IGNORECASE)
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,45}(?![\w:])")


def _addresses(text: str) -> Spans:
    before = 0
    for match in _DOMAIN.finditer(text):
        begin = match.start()
        floor = max(before, begin - 64)
        while begin > floor and _LOCAL.match(text[begin - 1]):
            begin -= 1
        if begin < match.start() and any(c.isalpha() for c in match.group().rpartition(".")[2]):
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


# --- chance ---------------------------------------------------------------------------------------

_UUID: Final = re.compile(
    r"(?<![0-9A-Fa-f])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"(?![0-9A-Fa-f])"
)
_GO_VERSION: Final = re.compile(r"(?<!\d)\d{14}-[0-9a-f]{12}(?![0-9a-f])")
"""What Go calls a version that has no tag: stands in the paths of every stack trace."""
_LABELLED: Final = re.compile(
    r"(?<![A-Za-z0-9_\-])([A-Za-z_][A-Za-z0-9_\-]{0,63})[\\\"']{0,6}(?:\s{0,2}[:=@]\s{0,2}|\s{1,2})[\\\"']{0,6}"
    r"([A-Za-z0-9_\-]{16,128})(?![A-Za-z0-9+/=_.~\-])"
)
_STICKY: Final = re.compile(
    r"queue[\\\"']{0,6}(?:\s{0,2}[:=]\s{0,2}|\s{1,2})[\\\"']{0,6}[\w.@\-]{0,200}[-:_]"
    r"([0-9a-f]{12}[47][0-9a-f]{3}[89ab][0-9a-f]{15})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""A worker's own queue: its identity and a UUID without dashes."""
_RUN: Final = re.compile(r"[A-Za-z0-9+/_~\-]{20,}={0,2}")
_HEX: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![0-9A-Fa-f])")


def _open_ids(text: str) -> Spans:
    """What looks random and is an identifier: UUIDs, and whatever is called a digest or an id."""
    for expression in (_UUID, _GO_VERSION):
        for match in expression.finditer(text):
            yield match.start(), match.end(), None
    for match in _STICKY.finditer(text):
        yield match.start(1), match.end(1), None
    for match in _LABELLED.finditer(text):
        if is_open_name(match[1]):
            yield match.start(2), match.end(2), None


def is_open_name(name: str) -> bool:
    """Whether what is called so may look like chance and is no secret: an id, a digest."""
    words = [w.lower() for w in _WORD.findall(name)]
    if not words or words == ["signature"]:
        return bool(words)
    before = words[-2] if len(words) > 1 else ""
    last = words[-1] if not words[-1].isdigit() else before
    return last in OPEN_WORDS and before not in SECRET_IDS and before != "password"


def _chance(text: str) -> Spans:
    for match in _HEX.finditer(text):
        if any(c.isdigit() for c in match.group()) and not match.group().isdigit():
            yield match.start(), match.end(), Secret.KEY
    for match in _RUN.finditer(text):
        if is_random(match.group()):
            yield match.start(), match.end(), Secret.KEY


_FINDERS: Final[tuple[Callable[[str], Spans], ...]] = (
    _markers,
    _pem,
    _urls,
    _dsns,
    _headers,
    _named,
    _prefixed,
    _addresses,
    _open_ids,
    _chance,
)
