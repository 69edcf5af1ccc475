"""Whether a run of characters was made by chance, as keys and tokens are, or by people.

Theory of operation. Each pair of neighbouring characters speaks for chance or for a name:
`_SURPRISE` holds, for two letters, twice the log-likelihood of the pair in random text over that in
words, plus 4 (so 4 says nothing, 0 speaks for a word and 9 for chance). A change between letters
and digits, or to a capital in the middle of a word, speaks for chance as `_CHANGES` says. The
weights are added up along the run, never below zero; a run is random when the sum reaches
`RANDOM_AT` anywhere. So a random tail behind a readable name is found, and a long name made of
words is none, however high its entropy: `callFunctionCheckIfDataAlreadyExists` has 4 bits a
character, as keys do, and is what entropy rules are complained about for.

Words of the trade that no English word resembles (`kafka`, `dlq`) are taken out first.

One pass, constant work per character.

The table: 33,603 different words of this project, its design notes and Python's standard library.
"""

from __future__ import annotations

import re
from typing import Final

MIN_CHARS: Final = 20
"""Shorter runs are never random: short hashes, pod suffixes and span ids are at most 17 long."""

RANDOM_AT: Final = 6.0
"""Reached by 99.4 % of random base-62 runs of 20 characters, all of 32, and by 0.8 % of the 5,400
long names of this project, its logs and the standard library."""

_SURPRISE: Final = (
    "72128639395021929010456548"
    "37673899469288489557499959"
    "17551791493368069351499969"
    "26640579199477369536489969"
    "15103237497120535000635258"
    "48774489199477379465499979"
    "58891964499575589346599999"
    "28972999399778399674799979"
    "33223329897120148311839594"
    "79996999999999799979799999"
    "69983989599797899958899999"
    "17630679098277159633479939"
    "15771889298557329847599989"
    "27211417395565269610448979"
    "44327449485220329022243699"
    "19661785498288249143488959"
    "99999999999799999889399999"
    "16330659195434159322457949"
    "37360572195466336620376949"
    "16350572098456148123376939"
    "44554669499332739222999999"
    "39791999499999689978999999"
    "49984995499896599569999999"
    "79695999699979949984999899"
    "88886979799666749755998999"
    "79994999799999899999999999"
)
_WEIGHT: Final = tuple(int(code) / 2 - 2 for code in _SURPRISE)
_WEAKEST: Final = -1.0
"""What one pair can say against chance at the most: a word in the middle of a key is possible."""

_CHANGES: Final = {
    "aA": 0.3, "Aa": 0.0, "a0": 1.1, "0a": 1.1, "A0": 1.1, "0A": 1.1, "00": -0.4,
    "a+": 1.0, "+a": 1.0, "A+": 1.0, "+A": 1.0, "0+": 1.0, "+0": 1.0, "++": -1.0,
    "a-": -0.6, "-a": -0.6, "A-": -0.3, "-A": -0.3, "0-": -0.2, "-0": -0.2, "--": -1.0,
    "+-": 0.0, "-+": 0.0,
}  # fmt: skip
"""Pairs of classes: `a` and `A` letters, `0` digits, `+` for + = ~, `-` for - _ /."""


_FAMILIAR: Final = re.compile(
    r"kafka|dlq|x86|pkcs|xhtml|xml|http|grpc|dsql|otel|json|uuid|lzma|wf|ctx|mgmt|cfg|tls|ssl|mtls|"
    r"proto|pprof|x509|sha256|sha512|md5|utf8|base64|amd64|arm64|k8s|i18n|oauth2",
    re.IGNORECASE,
)


def is_random(run: str, *, least: int = MIN_CHARS, at: float = RANDOM_AT) -> bool:
    """Whether the run (letters, digits, signs) has at least `least` characters and holds chance."""
    if len(run) < least:
        return False
    sum_ = 0.0
    before = kind_before = ""
    for char in _FAMILIAR.sub("-", run):
        kind = _kind(char)
        if kind_before:
            sum_ = max(0.0, sum_ + _pair(before, char, kind_before + kind))
            if sum_ >= at:
                return True
        before, kind_before = char, kind
    return False


def _kind(char: str) -> str:
    if "a" <= char <= "z":
        return "a"
    if "A" <= char <= "Z":
        return "A"
    if "0" <= char <= "9":
        return "0"
    return "-" if char in "-_/" else "+"


def _pair(before: str, char: str, kinds: str) -> float:
    if before == char:
        return _WEAKEST  # `xxxx`, `----`: people and rulers repeat themselves
    change = _CHANGES.get(kinds)
    if kinds in ("aa", "AA", "Aa"):
        at = (ord(before.lower()) - 97) * 26 + ord(char.lower()) - 97
        return max(_WEAKEST, _WEIGHT[at])
    assert change is not None, kinds
    return change
