"""One page of knowledge, and what a page must be before anybody may search it.

Theory of operation. A page is Markdown with a front matter in YAML between two lines of `---`:

    title     what the page is about
    summary   one or two sentences: the answer, where the page has one
    cause     `component/kind`, on the runbook of that cause and nowhere else
    sources   where its facts are from

The body begins with the title as a heading; `##` begins a section, and sections are what a search
returns. `parse` reads the shape of one page, `findings` judges all pages of a corpus together; both
tell every mistake at once. A page goes to a model and to people at night, so it is refused when it
holds a secret, a query of a metrics backend (signals have names, queries belong to the signal
table), or, as a runbook, does not say what is safe and what is not.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from copilot_core.errors import Rejected
from copilot_core.guarding.guard import leaks

MAX_CHARS: Final = 20_000
"""Of one page: what is longer is two pages, and nobody reads it at night."""

RUNBOOK_SECTIONS: Final = ("Symptoms", "Checks", "Safe actions", "Unsafe actions", "Whom to call")
"""What every runbook tells, in this order."""

_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_HEADING: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_TITLE: Final = re.compile(r"\A# .*")
_FENCED: Final = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_QUERY: Final = re.compile(
    r"\b(rate|irate|increase|delta|deriv|histogram_quantile|[a-z]+_over_time)\("  # no blank: prose
    r"|\b(sum|avg|min|max|count|topk)\s+(by|without)\s*\("  # aggregations
    r"|\{\s*\w+\s*(=~|!~|!=|=)\s*\""  # selectors
    r"|\|[=~]\s*[\"`]",  # line filters
)


class Front(BaseModel):
    """The front matter. Unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=100)]
    summary: Annotated[str, Field(min_length=1, max_length=300)]
    cause: Annotated[str, Field(pattern=r"^[a-z_]+/[a-z_]+$")] | None = None
    sources: Annotated[list[str], Field(min_length=1, max_length=20)]


class Section(BaseModel):
    """A part of a page. The part between title and first heading has an empty one."""

    model_config = ConfigDict(frozen=True)

    heading: str
    text: str


class Page(BaseModel):
    """A page as it is searched and shown. `path` is its place below the folder of all pages."""

    model_config = ConfigDict(frozen=True)

    path: str
    front: Front
    sections: tuple[Section, ...]
    text: str

    @property
    def name(self) -> str:
        """What others call it: the file's name without its ending."""
        return _name_of(self.path)

    @property
    def body(self) -> str:
        """The Markdown behind the front matter."""
        return _FRONT.sub(r"\2", self.text).lstrip("\n")


def parse(path: str, text: str) -> Page:
    """Read a page. Raises `Rejected` with everything that is wrong with its shape."""
    text = text.replace("\r\n", "\n")
    match = _FRONT.match(text)
    if match is None:
        raise _rejected([f"{path}: no front matter between two lines of ---"])
    try:
        front = Front.model_validate(yaml.safe_load(match[1]))
    except yaml.YAMLError as e:
        raise _rejected([f"{path}: the front matter is no YAML: {_oneline(e)}"]) from e
    except ValidationError as e:
        raise _rejected(
            [f"{path}: {'.'.join(map(str, x['loc'])) or 'front matter'}: {x['msg']}"
             for x in e.errors(include_url=False, include_input=False)]
        ) from e  # fmt: skip
    return Page(path=path, front=front, sections=tuple(_sections(match[2])), text=text)


def findings(pages: Sequence[Page]) -> tuple[str, ...]:
    """Everything that is wrong with the pages of a corpus, page by page."""
    names = Counter(page.name for page in pages)
    found = [f"{page.path}: {finding}" for page in pages for finding in _page_findings(page, names)]
    found += [f"{name}: {n} pages have this name" for name, n in sorted(names.items()) if n > 1]
    return tuple(found)


def check(pages: Sequence[Page]) -> None:
    """Refuse pages that must not be searched. Raises `Rejected` with every finding."""
    if found := findings(pages):
        raise _rejected(found)


def _page_findings(page: Page, names: Collection[str]) -> Iterator[str]:
    if not _NAME.fullmatch(page.name):
        yield "its name is not made of lower-case words and dashes"
    if len(page.text) > MAX_CHARS:
        yield f"{len(page.text)} characters, {MAX_CHARS} at the most"
    for leak in leaks(page.text):
        yield f"line {leak.line}: holds a secret ({leak.secret}); replace it by a placeholder"
    for match in _QUERY.finditer(page.text):
        line = page.text.count("\n", 0, match.start()) + 1
        yield f"line {line}: a query of a metrics or log backend; name the signal instead"
    if not page.body.startswith(f"# {page.front.title}\n"):
        yield f"its heading is not its title, {page.front.title!r}"
    for target in _broken_links(page, names):
        yield f"the link {target} leads to no page"
    if page.front.cause is not None:
        yield from _runbook_findings(page, page.front.cause)


def _runbook_findings(page: Page, cause: str) -> Iterator[str]:
    name = cause.replace("/", "-").replace("_", "-")
    if page.name != name:
        yield f"the runbook of {cause} is called {name}.md"
    headings = [s.heading for s in page.sections if s.heading in RUNBOOK_SECTIONS and s.text]
    missing = [heading for heading in RUNBOOK_SECTIONS if heading not in headings]
    if missing:
        yield f"a runbook without {', '.join(missing)}, or with nothing there"
    elif headings != list(RUNBOOK_SECTIONS):
        yield f"its sections come in another order than {', '.join(RUNBOOK_SECTIONS)}"


def _broken_links(page: Page, names: Collection[str]) -> Iterator[str]:
    """Links are to pages by name, wherever they lie: a page may take another one's place."""
    for target in _LINK.findall(_FENCED.sub("", page.text)):
        if target.startswith(("https://", "http://", "#")):
            continue
        if _name_of(target.partition("#")[0]) not in names:
            yield target


def _sections(body: str) -> Iterator[Section]:
    """The sections in order; a heading inside a fenced block begins none."""
    fenced = [match.span() for match in _FENCED.finditer(body)]
    starts = [
        match
        for match in _HEADING.finditer(body)
        if not any(begin <= match.start() < end for begin, end in fenced)
    ]
    lead = body[: starts[0].start() if starts else None].strip()
    yield Section(heading="", text=_TITLE.sub("", lead, count=1).strip())
    for i, match in enumerate(starts):
        end = starts[i + 1].start() if i + 1 < len(starts) else None
        yield Section(heading=match[1].strip(), text=body[match.end() : end].strip())


def _name_of(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0]


def _rejected(found: Iterable[str]) -> Rejected:
    lines = tuple(found)
    return Rejected(
        f"{len(lines)} findings in the pages" if len(lines) > 1 else lines[0],
        where="knowledge pages",
        todo="correct the pages; docs/how-to/add-a-runbook.md says what a page needs",
        code="page_refused",
        findings=lines,
    )


def _oneline(error: Exception) -> str:
    return " ".join(str(error).split())
