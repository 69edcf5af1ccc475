"""Files written by hand, one trap each; what six real servers say of them is recorded beside.

`TRAPS` maps a name to a file's bytes. The names are stable: the record refers to them.
"""

# ruff: noqa: E501 — a trap is a line

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_K = "history.rps"


def _value(text: str, key: str = _K) -> bytes:
    return f"{key}:\n- value: {text}\n".encode()


def _with(constraints: str, key: str = "matching.numTaskqueueReadPartitions") -> bytes:
    return f"{key}:\n- value: 4\n  constraints: {constraints}\n".encode()


_SCALARS: Final = {
    "int": "5", "int-plus": "+5", "int-minus": "-5", "int-underscore": "2_000", "int-hex": "0x10",
    "int-octal-12": "0o17", "int-octal-11": "017", "int-octal-bad": "089", "int-binary": "0b101",
    "int-quoted": "'5'", "int-exponent": "1e3", "int-float": "5.0", "int-max": "9223372036854775807",
    "int-above-max": "9223372036854775808", "int-max-unsigned": "18446744073709551615",
    "int-huge": "18446744073709551616", "int-below-min": "-9223372036854775809", "int-nan": ".nan",
    "int-inf": "-.inf", "int-null": "~", "int-nothing": "", "int-yes": "yes", "int-true": "true",
    "int-date": "2026-01-01", "int-time": "2026-01-01 1:2:3", "int-base-60": "1:30", "int-words": "5 s",
    "int-tag": "!!int '5'", "int-tag-bad": "!!int five", "int-tag-str": "!!str 5", "int-tag-own": "!x 5",
    "int-tag-bang": "! 5", "int-tag-bang-quoted": "! '5'", "int-tag-float": "!!float 5",
    "int-tag-null": "!!null ''", "int-tag-null-bad": "!!null 5", "int-tag-binary": "!!binary NQ==",
    "int-tag-binary-bad": "!!binary '*'", "int-tag-long": "!<tag:yaml.org,2002:int> 5",
    "int-list": "[5]", "int-map": "{a: 5}", "int-map-int-key": "{1: 5}", "int-comment": "5 # five",
    "int-hash": "5# five", "int-folded": ">\n    5", "int-literal": "|\n    5", "int-two-lines": "5\n    6",
    "int-tab-after": "5\t", "int-late-binary": "0b-1",
}  # fmt: skip

_BOOLS: Final = _words(
    "true True TRUE tRUE false yes no on off y n 1 0 '1' '0' 't' 'T' 'TRUE' 'tRUE' 'yes' 1.0 ~"
)
_FLOATS: Final = _words("1 1.5 .5 1. 1e3 1e-3 .inf -.inf .nan 1e999 '1.5' 0x10 1_000.5 true ~ 5%")
_DURATIONS: Final = _words(
    "30s 1m 1h30m 1.5h 2d 1d12h .5d -5s +5s 0 0s 10 1.5 '10' '1.5' '.5' '1.' '' 5minutes '5"
    " m' 1h-5m 3w 100us 100µs 100μs 7ns 1d1d dd 1e3 9223372036 9223372037 -9223372037 1e10"
    " 2562047h 2562048h 106751d 106752d 99999999999999999999 .nan .inf true ~ [1] 2026-01-01"
    " 1H 30S"
)

_STRUCTS: Final = {
    "fields": "{Enabled: true, RefreshInterval: 5s}", "fields-lower": "{enabled: true}",
    "fields-upper": "{ENABLED: true}", "fields-twice": "{Enabled: true, enabled: true}",
    "fields-no-exact": "{enabled: true, ENABLED: false}",
    "field-unknown": "{Enable: true}", "field-wrong": "{Enabled: 'true'}", "field-null": "{Enabled: ~}",
    "field-int-for-float": "{RateMultiMin: 1}", "field-string-for-float": "{RateMultiMin: '1'}",
    "field-duration-int": "{RefreshInterval: 5}", "field-duration-bad": "{RefreshInterval: 5 s}",
    "null": "~", "empty": "{}", "list": "[]", "scalar": "5", "time": "2026-01-01",
    "int-key": "{1: 2}", "int-key-below": "{a: {1: 2}}", "long-s": "{refreſhInterval: 5s}",
}  # fmt: skip

_TYPED: Final = {
    "wildcards-list": ("frontend.httpAllowedHosts", "['*.x', b]"),
    "wildcards-text": ("frontend.httpAllowedHosts", "'*'"),
    "wildcards-null": ("frontend.httpAllowedHosts", "~"),
    "wildcards-int": ("frontend.httpAllowedHosts", "[1]"),
    "wildcards-not-utf8": ("frontend.httpAllowedHosts", "[!!binary /w==]"),
    "gradual-bool": ("matching.enableFairness", "true"),
    "gradual-text": ("matching.enableFairness", "'1'"),
    "gradual-int": ("matching.enableFairness", "1"),
    "gradual-change": (
        "matching.enableFairness",
        "{Old: false, New: true, Start: 2026-01-01T00:00:00Z, End: '2026-02-01T00:00:00Z'}",
    ),
    "gradual-change-bad-time": ("matching.enableFairness", "{New: true, Start: soon}"),
    "gradual-change-date-text": ("matching.enableFairness", "{New: true, Start: '2026-01-01'}"),
    "addresses": ("component.callbacks.allowedAddresses", "[{Pattern: '*', AllowInsecure: true}]"),
    "addresses-no-pattern": ("component.callbacks.allowedAddresses", "[{AllowInsecure: true}]"),
    "addresses-map": ("component.callbacks.allowedAddresses", "{Pattern: '*'}"),
    "scaler": ("matching.partitionScaler", "{Ups: [{Window: 1s, TargetRate: 10}], Min: 1}"),
    "scaler-window": ("matching.partitionScaler", "{Ups: [{Window: 99ms, TargetRate: 10}]}"),
    "scaler-rate": ("matching.partitionScaler", "{Downs: [{Window: 1s, TargetRate: 0.9}]}"),
    "scaler-null-item": ("matching.partitionScaler", "{Downs: [~]}"),
    "scaler-negative": ("matching.partitionScaler", "{Min: -1}"),
    "scaler-wraps": ("matching.partitionScaler", "{Min: 4294967295}"),
    "trace-lenient": ("system.nexusHTTPTraceConfig", "{Enabled: 5}"),
    "template": ("nexusoperation.callback.endpoint.template", "'http://x/{{.NamespaceName}}'"),
    "template-unset": ("nexusoperation.callback.endpoint.template", "unset"),
    "template-broken": (
        "nexusoperation.callback.endpoint.template",
        "'http://x/{{.NamespaceName}'",
    ),
    "template-function": (
        "nexusoperation.callback.endpoint.template",
        "'{{upper .NamespaceName}}'",
    ),
    "template-null": ("nexusoperation.callback.endpoint.template", "~"),
    "retry-policy": ("nexusoperation.retryPolicy", "{InitialInterval: 1s, MaxInterval: 1 h}"),
    "retry-settings": ("history.defaultActivityRetryPolicy", "{InitialIntervalInSeconds: 1}"),
    "retry-settings-untagged": ("history.defaultActivityRetryPolicy", "{InitialInterval: no}"),
    "worker-options-func": ("worker.perNamespaceWorkerOptions", "{OnFatalError: x}"),
    "worker-options-interface": (
        "worker.perNamespaceWorkerOptions",
        "{BackgroundActivityContext: x}",
    ),
    "worker-options": (
        "worker.perNamespaceWorkerOptions",
        "{MaxConcurrentWorkflowTaskPollers: 5.9}",
    ),
    "map": ("frontend.workerVersioningRuleLimitPerQueue", "{a: 1}"),
    "string": ("system.secondaryVisibilityWritingMode", "off"),
    "string-int": ("system.secondaryVisibilityWritingMode", "5"),
    "old-key": ("system.enableNexus", "true"),
    "old-key-shape": ("frontend.enableClientVersionCheck", "[1]"),
}

_CONSTRAINTS: Final = {
    "namespace": "{namespace: a}", "all": "{namespace: a, taskQueueName: q, taskType: Workflow}",
    "cases": "{NAMESPACE: a, TaskQueueNAME: q}", "two-cases": "{namespace: a, Namespace: b}",
    "type-name": "{taskQueueName: q, taskType: Activity}", "type-lower": "{taskType: activity}",
    "type-upper": "{taskType: TASK_QUEUE_TYPE_ACTIVITY}", "type-int": "{taskType: 1}",
    "type-unknown-int": "{taskType: 99}", "type-zero": "{taskType: 0}", "type-negative": "{taskType: -1}",
    "type-unspecified": "{taskType: Unspecified}", "type-float": "{taskType: 1.0}",
    "type-alone": "{taskType: Workflow}", "unknown": "{nameSpace: a, queue: b}",
    "namespace-int": "{namespace: 5}", "namespace-bool": "{namespace: yes}",
    "namespace-true": "{namespace: true}", "namespace-empty": "{namespace: ''}",
    "namespace-date": "{namespace: 2026-01-01}", "namespace-null": "{namespace: ~}",
    "shard": "{shardID: 5}", "shard-text": "{shardID: '5'}", "shard-wraps": "{shardID: 4294967297}",
    "shard-unsigned": "{shardID: 9223372036854775808}", "history-type": "{historyTaskType: 1}",
    "history-type-name": "{historyTaskType: TransferCloseExecution}",
    "history-type-bad": "{historyTaskType: Nope}", "history-type-none": "{historyTaskType: ~}",
    "destination": "{destination: d}", "chasm": "{chasmTaskType: c}", "id": "{namespaceID: i}",
    "null": "~", "empty": "{}", "list": "[]", "list-of-map": "[{namespace: a}]", "scalar": "ns",
    "null-name": "{~: a}", "int-name": "{1: a}", "map-value": "{namespace: {1: 2}}",
    "kelvin": "{tasKQueueName: q}",
}  # fmt: skip

_V = f"{_K}:\n- value: 5\n"

_FORMS: Final = {
    "empty": "", "comment": "# nothing\n", "null": "~\n", "dashes": "---\n", "list": "- a\n",
    "scalar": "abc\n", "bare-value": f"{_K}: 5\n", "bare-map": f"{_K}: {{value: 5}}\n",
    "empty-key": f"{_K}:\n", "empty-list": f"{_K}: []\n", "null-item": f"{_K}:\n-\n- value: 5\n",
    "scalar-item": f"{_K}:\n- 5\n", "list-item": f"{_K}:\n- - value: 5\n", "empty-item": f"{_K}:\n- {{}}\n",
    "upper-field": f"{_K}:\n- Value: 5\n", "constraint": f"{_K}:\n- value: 5\n  constraint: {{a: b}}\n",
    "extra-field": f"{_K}:\n- value: 5\n  note: x\n", "int-field": f"{_K}:\n- value: 5\n  1: x\n",
    "null-field": f"{_K}:\n- value: 5\n  ~: x\n", "list-field": f"{_K}:\n- value: 5\n  [a]: x\n",
    "twice": _V + _V, "twice-other-case": _V + _V.upper().lower().replace("history", "History"),
    "twice-quoted": _V + _V.replace(_K, f"'{_K}'"), "value-twice": f"{_K}:\n- value: 5\n  value: 6\n",
    "two-entries": _V + "- value: 6\n", "second-document": _V + "---\nother: 1\n",
    "second-document-broken": _V + "---\n@\n", "second-document-broken-later": _V + "---\na: 1\nb: @\n",
    "end-marker": _V + "...\n", "end-marker-garbage": _V + "...\n]\n", "flow-then-text": "{}\nx: y\n",
    "yaml-1.1": "%YAML 1.1\n---\n" + _V, "yaml-1.2": "%YAML 1.2\n---\n" + _V, "directive": "%X\n---\n" + _V,
    "tag-directive": "%TAG !y! tag:yaml.org,2002:\n---\n" + _V.replace("5", "!y!int '5'"),
    "tab-indent": f"{_K}:\n\t- value: 5\n", "tab-separator": f"{_K}:\n-\tvalue: 5\n",
    "tab-before-comment": _V + "\t# x\n", "tabs-between-comments": f"{_K}:\n- value: 5\n  # x\n\t# y\n\n\t \t# z\n  constraints: {{}}\n",
    "tabs-behind-comments": f"# x\n\t# y\n\t\n{_V}",
    "tab-between-comments": _V + "# x\n\t# y\n",
    "tab-line": _V + "\t\n", "crlf": _V.replace("\n", "\r\n"), "cr": _V.replace("\n", "\r"),
    "nel": _V.replace("\n", "\x85"), "ls": _V.replace("\n", "\u2028"), "bom-in-the-middle": _V + "\ufeff" + _V,
    "nul": _V + "\0", "bell": _V + "\a", "delete": _V + "# \x7f", "private-use": _V + "# \ue000\n",
    "not-a-character": _V + "# \uffff\n", "no-colon": f"{_K}\n", "colon-no-space": f"{_K}:5\n",
    "unclosed-flow": f"{_K}: [\n", "unclosed-quote": f"{_K}: 'x\n", "indent-off": f"{_K}:\n - value: 5\n- value: 6\n",
    "null-key": "~: [{value: 5}]\n", "null-key-bad-value": "~: 5\n", "empty-text-key": "'': [{value: 5}]\n",
    "int-key": "5: [{value: 5}]\n", "binary-key": "!!binary aGlzdG9yeS5ycHM=: [{value: 5}]\n",
    "binary-and-plain-key": "!!binary aGlzdG9yeS5ycHM=: [{value: 5}]\n" + _V, "list-key": "[a]: []\n",
    "map-key": "? {a: b}\n: []\n", "two-list-keys": "[a]: []\n[b]: []\n", "alias-key": f"&k {_K}: []\nx: []\n*k : []\n",
    "long-key": "k" * 1025 + ": []\n", "long-quoted-key": "'" + "k" * 900 + "': []\n",
    "complex-key": f"? {_K}\n: - value: 5\n", "question-in-flow": f"{_K}: [{{value: a?b}}]\n",
    "question-first": "{?a: []}\n", "colon-last-in-flow": f"{_K}: [{{value:}}]\n",
    "colon-before-comma": f"{_K}: [{{value: 5, a:, b: 1}}]\n", "adjacent-value": f'{{"{_K}":[{{"value":5}}]}}\n',
    "comma-in-tag": f"{_K}: [{{value: !!str, x: 5}}]\n", "bracket-in-tag": f"{_K}:\n- value: !a[b] 5\n",
    "slash-escape": f'{_K}:\n- value: "a\\/b"\n', "quote-escape": f'{_K}:\n- value: "a\\\'b"\n',
    "surrogate-escape": f'{_K}:\n- value: "\\ud83d\\ude00"\n', "x-escape": f'{_K}:\n- value: "\\x80"\n',
    "anchor": f"{_K}: &a\n- value: 5\nfrontend.rps: *a\n", "anchor-value": f"{_K}:\n- value: &v 5\nfrontend.rps:\n- value: *v\n",
    "anchor-twice": f"a: &a []\n{_K}: &a\n- value: 5\nfrontend.rps: *a\n", "anchor-unknown": f"{_K}: *a\n",
    "anchor-in-itself": f"{_K}: &a\n- value: *a\n", "anchor-comma": f"{_K}: [{{value: &a, x: 1}}]\n",
    "merge": f"x: [&m {{value: 5}}]\n{_K}:\n- <<: *m\n", "merge-wins-not": f"x: [&m {{value: a}}]\n{_K}:\n- <<: *m\n  value: 5\n",
    "merge-list": f"x: [&m {{value: 5}}, &n {{constraints: {{namespace: a}}}}]\n{_K}:\n- <<: [*m, *n]\n",
    "merge-quoted": f"{_K}:\n- '<<': {{value: 5}}\n", "merge-tagged": f"{_K}:\n- !!merge <<: {{value: 5}}\n",
    "merge-scalar": f"{_K}:\n- <<: 5\n", "merge-list-alias": f"x: &x []\n{_K}:\n- <<: *x\n", "merge-null": f"{_K}:\n- <<: ~\n",
    "merge-top": "<<: {history.rps: [{value: 5}]}\n", "merge-top-int": "1: []\n<<: {1: [{value: 5}]}\n",
    "merge-twice": f"{_K}:\n- <<: {{value: 5}}\n  <<: {{}}\n", "merge-in-constraints": _with("{<<: {namespace: a}}").decode(),
    "merge-with-list-key": f"{_K}:\n- [a]: 1\n  <<: {{value: 5}}\n", "merge-bad-shape": f"<<: {{{_K}: 5}}\n",
    "merge-duplicate": f"{_K}:\n- <<: {{value: 5, value: 6}}\n", "merge-into-int-keys": f"{_K}:\n- value: {{1: a, <<: {{b: c}}}}\n",
    "set": f"{_K}:\n- value: !!set {{a, b}}\n", "tagged-map": f"{_K}: !!map\n- value: 5\n", "omap": f"{_K}: !!omap [a: 1]\n",
    "upper-key": _V.replace(_K, _K.upper()), "dotted-i-key": _V.replace("history", "hİstory"),
    "kelvin-key": _V.replace("history.rps", "frontend.Keepalivetime"), "utf-8-name": _V.replace(_K, "história"),
    "block-in-flow": f"{_K}: [\n- value: 5\n]\n", "multiline-plain": f"{_K}:\n- value: a\n    b\n  constraints: {{}}\n",
}  # fmt: skip


def _bomb(width: int, depth: int) -> bytes:
    """Aliases of aliases: width ** depth nodes from a few lines."""
    levels = (
        f"a{level}: &a{level} [{{value: [{', '.join([f'*a{level - 1}'] * width)}]}}]"
        for level in range(1, depth)
    )
    return "\n".join(["a0: &a0 [{value: 1}]", *levels]).encode()


_BYTES: Final[dict[str, bytes]] = {
    "bom": b"\xef\xbb\xbf" + _V.encode(),
    "utf-16": _V.encode("utf-16"),
    "utf-16-be": b"\xfe\xff" + _V.encode("utf-16-be"),
    "utf-16-odd": _V.encode("utf-16") + b"\n",
    "latin-1": _V.encode() + b"# \xe9\n",
    "overlong": _V.encode() + b"# \xc0\xaf\n",
    "latin-1-in-the-second-document": _V.encode() + b"---\na: b\n" + b"# x\n" * 400 + b"# \xe9\n",
    "bomb-small": _bomb(9, 3),
    "bomb": _bomb(9, 6),
    "bomb-wide": _bomb(200, 3),
    "aliases-many": b"a: &a {value: 1}\n" + b"b: [" + b"*a, " * 900 + b"]\n",
    "aliases-too-many": b"a: &a [{value: {a: 1, b: 2}}]\n" + b"".join(b"k%d: *a\n" % i for i in range(900)),
    "deep-flow": b"a: [{value: " + b"[" * 5_000 + b"]" * 5_000 + b"}]\n",
    "deep-flow-limit": b"a: [{value: " + b"[" * 9_998 + b"]" * 9_998 + b"}]\n",
    "deep-flow-too-deep": b"a: [{value: " + b"[" * 9_999 + b"]" * 9_999 + b"}]\n",
    "deep-flow-unclosed": b"a: " + b"[" * 50_000,
    "deep-block": b"a:\n- value:\n    " + b"- " * 5_000 + b"x\n",
    "deep-block-limit": b"a:\n- value:\n    " + b"- " * 9_996 + b"x\n",
    "deep-block-too-deep": b"a:\n- value:\n    " + b"- " * 9_999 + b"x\n",
    "deep-aliases": b"a0: &a0 [{value: 1}]\n"
    + b"".join(b"a%d: &a%d [{value: *a%d}]\n" % (i, i, i - 1) for i in range(1, 200)),
    "deep-map": b"history.rps: [{value: " + b"{a: " * 3_000 + b"1" + b"}" * 3_000 + b"}]\n",
}  # fmt: skip

TRAPS: Final[dict[str, bytes]] = {
    **{f"scalar/{name}": _value(text) for name, text in _SCALARS.items()},
    **{f"bool/{text}": _value(text, "system.enableStickyQuery") for text in _BOOLS},
    **{f"float/{text}": _value(text, "frontend.namespaceBurstRatio") for text in _FLOATS},
    **{f"duration/{text}": _value(text, "history.shardIOTimeout") for text in _DURATIONS},
    **{f"int-for/{text}": _value(text, "matching.forwarderMaxRatePerSecond") for text in _FLOATS},
    **{
        f"struct/{name}": _value(text, "history.persistenceDynamicRateLimitingParams")
        for name, text in _STRUCTS.items()
    },
    **{f"typed/{name}": _value(text, key) for name, (key, text) in _TYPED.items()},
    **{f"constraints/{name}": _with(text) for name, text in _CONSTRAINTS.items()},
    **{
        f"constraints-{scope}/{name}": _with(text, key)
        for scope, key in (
            ("global", "history.rps"),
            ("namespace", "frontend.namespaceRPS"),
            ("destination", "history.outboundQueue.circuitBreakerSettings"),
            ("task-type", "history.timerTaskBatchSize"),
            ("unknown", "no.such.key"),
        )
        for name, text in _CONSTRAINTS.items()
    },
    **{f"form/{name}": text.encode() for name, text in _FORMS.items()},
    **{f"bytes/{name}": data for name, data in _BYTES.items()},
}
