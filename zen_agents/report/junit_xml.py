"""JUnit XML, the form in which pipelines read what passed and what did not. Every text in it is untrusted."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One test; it passed, unless it says why not."""

    name: str
    #: Why it failed: the first line is the message.
    failure: str = ""
    #: Why nobody could tell.
    error: str = ""
    #: What it has to say though it passed.
    said: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that were made together."""

    name: str
    cases: Sequence[Case]
    #: How long all of them took; None if nobody measured it.
    seconds: float | None = None


def document(name: str, suites: Iterable[Suite]) -> str:
    """Return a document of these suites."""
    listed = list(suites)
    measured = [suite.seconds for suite in listed if suite.seconds is not None]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    counts = _counts([case for suite in listed for case in suite.cases])
    lines.append(f'<testsuites name="{_text(name)}"{counts}{_time(sum(measured) if measured else None)}>')
    for suite in listed:
        lines += _suite(suite)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(suite: Suite) -> Iterable[str]:
    yield f'  <testsuite name="{_text(suite.name)}"{_counts(suite.cases)}{_time(suite.seconds)}>'
    for case in suite.cases:
        head = f'    <testcase classname="{_text(suite.name)}" name="{_text(case.name)}"'
        told = list(_told({"failure": case.failure, "error": case.error}, case.said))
        if not told:
            yield f"{head}/>"
            continue
        yield f"{head}>"
        yield from told
        yield "    </testcase>"
    yield "  </testsuite>"


def _told(wrong: Mapping[str, str], said: str) -> Iterable[str]:
    for kind, text in wrong.items():
        if text:
            yield f'      <{kind} message="{_text(text.partition(chr(10))[0])}">{_text(text)}</{kind}>'
    if said:
        yield f"      <system-out>{_text(said)}</system-out>"


def _counts(cases: Sequence[Case]) -> str:
    failures, errors = sum(bool(case.failure) for case in cases), sum(bool(case.error) for case in cases)
    return f' tests="{len(cases)}" failures="{failures}" errors="{errors}"'


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f' time="{seconds:.3f}"'


def _text(text: str) -> str:
    """Return text as XML may hold it: what it cannot, and what a terminal would obey, is replaced."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))
