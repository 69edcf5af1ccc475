"""Secrets that are known by what stands before them: the value of a name, the rest of a header.

    headers    what follows Authorization, Cookie, Bearer, Basic; what follows --user
    named      the value of a name whose last word is one of `SECRET_WORDS`

A value ends where its notation ends it: at the same quote, at the escaped quote of JSON in JSON, at
white space, before the next `name=`. What stands there instead of a secret (`null`, `expired`,
`${PASSWORD}`) stays.

Linear, as `copilot_core.guarding.secrets_found` asks: bounded repetitions, no scan twice.
"""

from __future__ import annotations

import re
from typing import Final

from copilot_core.guarding.plain_text import skeleton
from copilot_core.guarding.randomness import is_random
from copilot_core.guarding.secret_shapes import (
    GLUED_ENDINGS,
    KEY_WORDS,
    OPEN_WORDS,
    QUALIFIERS,
    SECRET_IDS,
    SECRET_WORDS,
    STATE_WORDS,
    WEAK_WORDS,
    Secret,
)
from copilot_core.guarding.secret_spans import (
    COVER,
    NOT_SPACE,
    TAIL,
    Spans,
    followed,
    is_words,
    without_tail,
)

# --- headers --------------------------------------------------------------------------------------

_HEADER: Final = re.compile(
    r"\b(?:proxy-)?(?:authorization|set-cookie|cookie|x-amz-security-token)\b[\\\"']{0,4}\s{0,4}"
    r"(?:[:=,]|%3[aAdD])[\[\s]{0,4}[\\\"']{0,4}\s{0,4}",
    re.IGNORECASE,
)
_SCHEMED: Final = re.compile(
    r"\b(?:bearer|basic|digest|negotiate|apikey|token)(?:[ :=]{1,3}|%20|\+)"
    r"(?=[A-Za-z0-9+/=_.~\-]{8})",
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


def headers(text: str) -> Spans:
    for match, value in followed(_HEADER, _HEADER_VALUE, text):
        if value.group().strip(" .,;)").lower() not in STATE_WORDS:
            yield match.end(), value.end(), Secret.CREDENTIALS
    for match, token in followed(_SCHEMED, _TOKEN, text):
        if not is_words(token.group()):
            yield match.end(), token.end(), Secret.CREDENTIALS
    for expression in (_USER, _SHORT_FLAG, _IDENTIFIED):
        for match, secret in followed(expression, NOT_SPACE, text):
            yield match.end(), secret.end(), Secret.PASSWORD


# --- values of names ------------------------------------------------------------------------------

_NAME: Final = re.compile(
    r"(?<!%)(?<!%[0-9A-Fa-f])[A-Za-z_](?:[A-Za-z0-9_]|[.\-](?=[A-Za-z0-9_]))*"
)
_IN_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]")
_TELLING: Final = re.compile(
    r"pass|pwd|pw|secret|token|key|cred|auth|cookie|dsn|sig|pat|otp|pin|bearer|webhook|sas|sid|conn|"
    r"jwt|session|psk|mdp|salt"
)
"""Without a word of these a name tells nothing; looked for in small letters."""
_SMALL: Final = {ord(big): ord(big) + 32 for big in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SEPARATOR: Final = re.compile(
    r"[\\\"'`\])]{0,6}(?:"
    r"\s{0,8}(?P<tight>=>|->|:=|==|=|\||%3[aAdD]|>(?=[^<\s]{1,200}</))\s{0,8}"
    r"|\s{0,8}(?P<colon>:)\s{0,8}"
    r"|[\s,;]{1,12}[\\\"'`]{0,6}(?:value|Value|VALUE)[\\\"'`]{0,6}\s{0,4}[:=]\s{0,4}"
    r"|(?<=[\"'`])\s{0,4},\s{0,8}(?=\\{0,4}[\"'`])"
    r"|\s{1,2}for\s[\w '\"@./\-]{1,60}?:\s{1,4}"
    r"|\s{1,4}(?P<prose>is|was|are|to|set to|of|with value)\s{1,4}"
    r"|(?P<space>\s{1,4}|%20|\+)(?=\S))"
)
_OPENING: Final = re.compile(r"\[?\s{0,4}([\\]{0,6}[\"'`]{1,3})")
_UNQUOTED_END: Final = re.compile(
    r"[\"'`\\]+(?=[\s,;:}\])]|$)|[,;&|](?=[A-Za-z_][\w.\-]{0,60}[\"']?\s{0,2}[=:])|</|\x00"
)
_NOT_BLANK: Final = re.compile(r"[^\s\x00]+")
MAX_NAME: Final = 128
WEAK_CHARS: Final = 12
WEAK_AT: Final = 4.0
"""What is called `auth` or `session` is a secret when its value looks like chance, and from fewer
characters than where nothing is called anything."""


_ELSEWHERE: Final = re.compile(
    r"(?:"
    + "|".join(
        skeleton(word)
        for word in (
            "contraseña",
            "пароль",
            "senha",
            "wachtwoord",
            "hasło",
            "lösenord",
            "パスワード",
            "密码",
        )
    )
    + r")[\\\"']{0,6}\s{0,4}[:=]\s{0,4}[\\\"']{0,6}",
    re.IGNORECASE,
)
"""Passwords in other languages, as they look in a skeleton."""


def named(text: str) -> Spans:
    for match, secret in followed(_ELSEWHERE, NOT_SPACE, text):
        yield match.end(), secret.end(), Secret.PASSWORD
    at, small = 0, text.translate(_SMALL)
    while hit := _TELLING.search(small, at):
        name = _NAME.match(text, _begin(text, hit.start(), floor=at))
        at = max(hit.end(), name.end() if name else 0)
        if name is None:
            continue
        called = _with_word_before(text, name)
        weak = called.lower() in WEAK_WORDS
        if not weak and not is_secret_name(called):
            continue
        separator = _SEPARATOR.match(text, name.end())
        if separator is None:
            continue
        value = _value(text, name, separator)
        if value and value[0] < value[1]:
            if weak and not is_random(text[slice(*value)], least=WEAK_CHARS, at=WEAK_AT):
                continue
            yield *value, Secret.PASSWORD
            at = value[1]


def _begin(text: str, at: int, *, floor: int) -> int:
    """Where the name begins that has a telling word at `at`."""
    begin = at
    while begin > max(floor, at - MAX_NAME) and _IN_NAME.match(text, begin - 1):
        begin -= 1
    if begin and text[begin - 1] == "%":
        begin += 2  # `%3Ftoken`: the digits belong to the sign
    while begin < at and not (text[begin].isalpha() or text[begin] == "_"):
        begin += 1
    return min(begin, at)


def _with_word_before(text: str, name: re.Match[str]) -> str:
    """The name, and the word before it where the name alone says little: `secret access key`."""
    called = name.group()[-MAX_NAME:]
    if name.end() - name.start() > 4 or text[name.start() - 1 : name.start()] != " ":
        return called
    before = text[max(0, name.start() - 24) : name.start() - 1].rpartition(" ")[2]
    return f"{before} {called}"


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret: judged by the last word that tells something."""
    words = [w.lower() for w in _WORD.findall(name)]
    if "".join(words[-2:]) in SECRET_WORDS:
        return True
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


def is_open_name(name: str) -> bool:
    """Whether what is called so may look like chance and is no secret: an id, a digest."""
    words = [w.lower() for w in _WORD.findall(name)]
    if not words or words == ["signature"]:
        return bool(words)
    before = words[-2] if len(words) > 1 else ""
    last = words[-1] if not words[-1].isdigit() else before
    return last in OPEN_WORDS and before not in SECRET_IDS and before != "password"


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
    shown = text[begin:end].strip(TAIL).lower()
    if not shown or shown in STATE_WORDS or _is_placeholder(text[begin:end]):
        return None
    if name.group().lower() == "pwd" and text[begin] == "/":
        return None  # the shell's working directory
    if separator["prose"] is not None and shown.isalpha() and text[end : end + 1] in (" ", "-"):
        return None  # "no password is needed here"
    if separator["colon"] is not None and _starts_line(text, name.start()):
        line_end = text.find("\n", begin)
        rest = text[begin : line_end if line_end >= 0 else len(text)]
        end = max(end, begin + len(rest.split(COVER)[0].rstrip())) if _is_yaml(rest) else end
    return begin, end


def _loose(text: str, name: re.Match[str], at: int) -> tuple[int, int] | None:
    """`--password hunter2`, `password hunter2`: behind a space only what is no ordinary word."""
    run = _NOT_BLANK.match(text, at)
    if run is None:
        return None
    begin, end = run.start(), _unquoted_end(text, run)
    shown = text[begin:end].strip(TAIL)
    flag = text[max(0, name.start() - 2) : name.start()].endswith("-")
    if not shown or shown.startswith("-") or _is_placeholder(shown) or shown.lower() in STATE_WORDS:
        return None
    if opening := _OPENING.match(text, at):  # `WITH PASSWORD 'hunter2'`
        end = _closed(text, opening.end(), opening[1])
        said = is_words(text[opening.end() : end].replace(" ", "-"))
        bare = name.group().lower() in ("password", "passwd", "passphrase")
        return (opening.end(), end) if flag or bare or not said else None
    if flag:
        return begin, end
    ordinary = is_words(shown) or shown[-1:] == "=" or "=" in shown or shown.isdigit()
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
    return without_tail(text, run.start(), end)


_PLACEHOLDER: Final = re.compile(
    r"\$\{[^}]{0,80}\}?|\{\{?[\w .$]{0,80}\}{0,2}|\$\([^)]{0,80}\)?|%\([a-z_]{0,40}\)s|%[sqvd]|\$\d"
    r"|\$[A-Z_]{2,60}|<[\w .\-]{0,60}>?|\[\]|\(\)"
)


def _is_placeholder(value: str) -> bool:
    """`${PASSWORD}`, `<password>`, `***`, `%s`, `$1`: a place for a secret, not one."""
    bare = value.strip(",;.:\"'")
    if bare.startswith("<") and not is_words(bare.strip("<>").replace(" ", "-")):
        return False
    return not value.strip("*xX.…-_#•") or bool(_PLACEHOLDER.fullmatch(bare))


def _starts_line(text: str, at: int) -> bool:
    begin = text.rfind("\n", max(0, at - 40), at) + 1
    if begin == 0 and at > 40:
        return False
    return not text[begin:at].strip(" \t-\"'")


def _is_yaml(rest: str) -> bool:
    """The rest of a line is one value, not a sentence that goes on with other names."""
    return "=" not in rest and ": " not in rest and '":' not in rest
