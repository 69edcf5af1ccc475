"""The laws of checking a dynamic-config file, over files of all sorts."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from dsql_config.findings import Severity
from dsql_config.server.check import check_text
from dsql_config.server.check_codes import CODES, verdict
from dsql_config.server.registry import SUPPORTED, ServerRegistry, load_registry
from tests.data.dynamicconfig.generate import file_text

_VERSIONS = st.sampled_from(SUPPORTED).map(load_registry)
_FILES = st.randoms(use_true_random=False).map(file_text)
_YAML_SIGNS = st.text(alphabet="ab1 \n\t:-?[]{},#&*!|>'\"%@`~<=._\\\ufeff\x85é\r", max_size=60)


@given(st.one_of(st.binary(max_size=200), _YAML_SIGNS.map(str.encode), _FILES), _VERSIONS)
@example(b"\xff\xfe", load_registry("1.32"))
@example(b"", load_registry("1.32"))
def test_any_bytes_get_findings(data: bytes, registry: ServerRegistry) -> None:
    """No bytes make the check fail: findings come out, of known codes, printable."""
    for finding in check_text(data, registry=registry):
        assert finding.severity is CODES[finding.code].severity
        (finding.message + finding.key).encode()


@given(_FILES, _VERSIONS)
def test_same_file_same_findings(data: bytes, registry: ServerRegistry) -> None:
    """The check is a function of the file and the release."""
    assert check_text(data, registry=registry) == check_text(data, registry=registry)


@given(_FILES, _VERSIONS)
def test_comments_say_nothing(data: bytes, registry: ServerRegistry) -> None:
    """A comment line on top moves every finding by one line and changes none."""
    assume(data[:1] not in b"\xef\xff\xfe%\r")
    before = check_text(data, registry=registry)
    after = check_text(b"# a comment\n" + data, registry=registry)
    assert [(f.code, f.severity) for f in before] == [(f.code, f.severity) for f in after]
    assert verdict(before) == verdict(after)


@given(st.lists(st.sampled_from([s.key for s in load_registry("1.32")]), unique=True, max_size=30))
def test_keys_alone_set_nothing(keys: list[str]) -> None:
    """A known key without entries is a warning each, in any case of its letters, and no error."""
    text = "".join(f"{key.swapcase()}:\n" for key in keys).encode()
    findings = check_text(text, registry=load_registry("1.32"))
    assert [f.code for f in findings] == ["empty_key"] * len(keys)
    assert all(f.severity is Severity.WARNING for f in findings)
