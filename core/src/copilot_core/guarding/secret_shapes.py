"""What secrets look like: the tables that `copilot_core.guarding.secrets_found` reads.

Theory of operation. Three kinds of knowledge, each a table:

    PREFIXES     keys whose issuer gave them a form of their own: known wherever they stand
    SECRET_WORDS what the last word of a name is when its value is a secret (`db.password`,
                 `aws_secret_access_key`, `X-Api-Key`), and the words before it that are needed
    OPEN_WORDS   last words of names whose values are identifiers and digests, never secrets

A name is read word by word: split at case, `_`, `-` and `.`. So `token_duration` is a duration,
`author` is no `auth`, and `task-` does not begin with `sk-`.

Sources: the issuers' own descriptions of their keys, and the complaints of the users of other
scanners (generic rules that fire on UUIDs, hashes, long names and placeholders).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Secret(StrEnum):
    """What was taken out; stands in its place as `[value]`."""

    KEY = "key"
    """A key or token of a known form, or a run of characters made by chance."""
    PASSWORD = "password"
    """The value of something that is called a password, a secret, a token."""
    DSN = "dsn"
    """The address of a database or broker, with or without what opens it."""
    CREDENTIALS = "credentials"
    """Whatever follows `Authorization`, `Cookie`, or stands before the @ of a URL."""
    JWT = "jwt"
    PEM = "pem"
    EMAIL = "e-mail"
    IP = "ip"


CREDENTIALS: Final = frozenset(Secret) - {Secret.EMAIL, Secret.IP}
"""What opens something. E-mail and IP addresses do not, but leave as little."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keys that begin so. `least` is the shortest rest; `alphabet` of the rest, for `re`."""

    starts: str
    least: int
    alphabet: str = r"[A-Za-z0-9_\-]"


_DOTTED: Final = r"[A-Za-z0-9_.\-]"
_BASE64: Final = r"[A-Za-z0-9+/=_.\-]"

PREFIXES: Final[tuple[Prefix, ...]] = (
    # --- clouds ---------------------------------------------------------------------------------
    Prefix(r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA|APKA|ASCA)", 12, r"[A-Z0-9]"),
    Prefix(r"ABSK", 30, _BASE64),  # Bedrock API keys
    Prefix(r"bedrock-api-key-", 16, _BASE64),
    Prefix(r"AIza", 30), Prefix(r"GOCSPX-", 16), Prefix(r"GOOG1E?", 20, r"[A-Z0-9]"),
    Prefix(r"ya29\.", 20, _DOTTED), Prefix(r"1//0", 30),
    Prefix(r"dop_v1_", 20), Prefix(r"doo_v1_", 20), Prefix(r"dor_v1_", 20),
    Prefix(r"LTAI", 12, r"[A-Za-z0-9]"), Prefix(r"AKID", 24, r"[A-Za-z0-9]"),
    Prefix(r"EAACEdEose0cBA", 10), Prefix(r"fo1_", 20), Prefix(r"FlyV1 ", 20, _BASE64),
    # --- code and packages ----------------------------------------------------------------------
    Prefix(r"gh[opusr]_", 20), Prefix(r"github_pat_", 20),
    Prefix(r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|ffct|oas)-", 16, _DOTTED),
    Prefix(r"npm_", 20), Prefix(r"pypi-", 40), Prefix(r"rubygems_", 20),
    Prefix(r"dckr_[po]at_", 16),
    Prefix(r"ATATT3", 20, _BASE64), Prefix(r"ATCTT3", 20, _BASE64), Prefix(r"ATBB", 24),
    Prefix(r"oy2", 40, r"[a-z0-9]"), Prefix(r"cio", 32, r"[A-Za-z0-9]"),
    # --- messages and payment -------------------------------------------------------------------
    Prefix(r"xox[a-z]-", 8), Prefix(r"xoxe\.xox[bp]-", 8), Prefix(r"xapp-", 16),
    Prefix(r"(?:sk|rk|pk)_(?:live|test|prod)_", 10), Prefix(r"whsec_", 16, _BASE64),
    Prefix(r"sq0(?:atp|csp|idp)-", 16), Prefix(r"EAAA", 40),
    Prefix(r"SG\.", 20, _DOTTED), Prefix(r"key-", 32, r"[0-9a-f]"), Prefix(r"xkeysib-", 20),
    Prefix(r"(?:AC|SK)", 32, r"[0-9a-f]"), Prefix(r"shp(?:at|ca|pa|ss)_", 20),
    Prefix(r"access_token\$production\$", 16), Prefix(r"\d{8,10}:AA", 30),
    # --- operations -----------------------------------------------------------------------------
    Prefix(r"hv[sbr]\.", 20, _DOTTED), Prefix(r"[sbr]\.", 24, r"[A-Za-z0-9]"),
    Prefix(r"glsa_", 20), Prefix(r"glc_", 20, _BASE64), Prefix(r"eyJrIjoi", 20, _BASE64),
    Prefix(r"NRAK-", 16), Prefix(r"NRII-", 16), Prefix(r"NRJS-", 16), Prefix(r"dd[ap]_", 24),
    Prefix(r"sntry[su]_", 20, _BASE64), Prefix(r"PMAK-", 20), Prefix(r"tskey-", 10),
    Prefix(r"dapi", 32, r"[0-9a-f\-]"), Prefix(r"dp\.(?:pt|st|ct|sa|scim|audit)\.", 20, _DOTTED),
    Prefix(r"ops_eyJ", 20, _BASE64), Prefix(r"pul-", 32), Prefix(r"AGE-SECRET-KEY-1", 20),
    Prefix(r"CFPAT-", 20), Prefix(r"v1\.0-", 24), Prefix(r"phc_", 20), Prefix(r"phx_", 20),
    Prefix(r"lin_(?:api|oauth)_", 20), Prefix(r"figd_", 20), Prefix(r"secret_", 32),
    Prefix(r"ntn_", 30), Prefix(r"pat[A-Za-z0-9]{14}\.", 32),
    Prefix(r"pscale_(?:pw|tkn|oauth)_", 16, _DOTTED),
    Prefix(r"napi_", 30), Prefix(r"sbp_", 30), Prefix(r"sb_secret_", 16), Prefix(r"nfp_", 24),
    # --- models ---------------------------------------------------------------------------------
    Prefix(r"sk-(?:ant|proj|svcacct|admin|or|lf)-", 16), Prefix(r"sk-", 20), Prefix(r"pk-lf-", 16),
    Prefix(r"hf_", 20), Prefix(r"r8_", 20), Prefix(r"gsk_", 20), Prefix(r"xai-", 20),
    Prefix(r"pplx-", 20), Prefix(r"co-", 36), Prefix(r"tvly-", 20), Prefix(r"lsv2_", 20),
    Prefix(r"pylf_v1_", 20, _DOTTED),
)  # fmt: skip
"""Keys with a form of their own. Rests are at most 512 characters: bounded, so linear."""

SECRET_WORDS: Final = frozenset(
    (
        "password", "passwd", "passwort", "passphrase", "passcode", "pwd", "pass", "pw", "secret",
        "secrets", "token", "jwt", "credential", "credentials", "cred", "creds", "authorization",
        "cookie", "dsn", "apikey", "accesskey", "secretkey", "privatekey", "authkey", "sharedkey",
        "masterkey", "accountkey", "signature", "sig", "pat", "otp", "totp", "pin", "bearer",
        "webhook", "sas", "sid", "connectionstring", "connstr", "conninfo", "sessionid",
        "sessionkey", "authtoken", "accesstoken", "refreshtoken", "idtoken", "clientsecret",
        "psk", "bindpw", "mdp",
    )
)  # fmt: skip
"""The value of a name that ends so is a secret."""

GLUED_ENDINGS: Final = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "secretkey", "accesskey",
    "privatekey", "connectionstring", "credentials",
    "requirepass", "masterauth", "sessid", "sessionid",
)  # fmt: skip
"""Names written as one word, `PGPASSWORD`, end so."""

KEY_WORDS: Final = frozenset(
    (
        "api", "access", "secret", "private", "signing", "encryption", "account", "shared",
        "master", "auth", "service", "ssh", "license", "deploy", "integration", "ingest", "admin",
        "hmac", "aes", "rsa", "crypto", "cipher", "client", "root", "app", "application", "write",
        "read", "storage", "functions", "host", "webhook", "rpc", "session", "decryption",
        "wrapping", "kms", "bot",
        "aws", "gcp", "azure", "github", "gitlab", "stripe", "openai", "datadog",
    )
)  # fmt: skip
"""A `key` is a secret behind one of these; a shard's key or a cache's is none."""

QUALIFIERS: Final = frozenset(
    (
        "value", "val", "text", "string", "data", "raw", "plain", "plaintext", "current", "old",
        "new", "prod", "production", "staging", "dev", "test", "default", "b64", "base64", "hex",
        "env",
        "base",
    )
)  # fmt: skip
"""Words behind the telling one that change nothing: `password_value`, `api-key-old`."""

SECRET_IDS: Final = frozenset(("secret", "session", "token"))
"""An `id` is an identifier, but behind one of these it opens something (`session_id`)."""

WEAK_WORDS: Final = frozenset(("auth", "session", "sess", "salt"))
"""Names that may be secrets: they are when their value looks like chance."""

OPEN_WORDS: Final = frozenset(
    (
        "id", "ids", "uuid", "digest", "sha", "sha1", "sha256", "sha512", "md5", "fingerprint",
        "checksum", "etag", "commit", "revision", "hash", "crc", "traceid", "spanid", "requestid",
        "trace", "span", "incarnation", "cursor",
    )
)  # fmt: skip
"""The value of a name that ends so may look random and is none: identifiers and digests."""

STATE_WORDS: Final = frozenset(
    (
        "null", "none", "nil", "undefined", "true", "false", "yes", "no", "on", "off", "empty",
        "missing", "unset", "set", "absent", "present", "invalid", "valid", "expired", "expires",
        "expiring", "required", "optional", "rejected", "accepted", "refused", "denied",
        "incorrect", "wrong", "unknown", "not", "found", "is", "was", "are", "were", "has", "had",
        "will", "may", "must", "can", "cannot", "could", "should", "being", "been", "be", "too",
        "the", "a", "an", "and", "or", "of", "for", "from", "in", "at", "to", "by", "with",
        "without", "does", "did", "do", "ok", "error", "failed", "failure", "mismatch", "default",
        "unchanged", "changed", "rotated", "revoked", "provided", "given", "specified", "supplied",
        "used", "unused", "enabled", "disabled", "hidden", "redacted", "masked", "removed", "file",
        "env", "stdin", "prompt", "iam", "manual", "authentication", "auth", "as", "before",
        "after", "until", "while", "when", "if", "but", "it", "this", "that", "these", "password",
        "token", "secret", "key", "value", "string", "str", "int", "bytes",
    )
)  # fmt: skip
"""What is said about a secret in its stead; a value that is one of these stays."""
