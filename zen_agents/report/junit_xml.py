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


def document(name: str, suites: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """Return a document of these suites."""
    listed = list(suites)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name="{_text(name)}"{_counts([case for _, cases in listed for case in cases])}>')
    for suite, cases in listed:
        lines += _suite(suite, cases)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(name: str, cases: Sequence[Case]) -> Iterable[str]:
    yield f'  <testsuite name="{_text(name)}"{_counts(cases)}>'
    for case in cases:
        head = f'    <testcase classname="{_text(name)}" name="{_text(case.name)}"'
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


def _text(text: str) -> str:
    """Return text as XML may hold it: what it cannot, and what a terminal would obey, is replaced."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))
