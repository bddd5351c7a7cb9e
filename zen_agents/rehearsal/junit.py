"""Results of rule tests as JUnit XML, the form that pipelines read."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from zen_agents.rehearsal.rule_testing import Broken, Result
from zen_agents.settings.diagnostics import Diagnostic

#: Name of a test, and what is to be told of each of its faults.
_Case = tuple[str, Sequence[str]]


def junit(results: Sequence[Result], broken: Sequence[Broken], samples: Mapping[str, Sequence[Diagnostic]]) -> str:
    """Return one suite a file; a file that is not valid is one test with an error; each pattern's samples are a test."""
    failed = sum(1 for result in results if result.failures) + sum(1 for faults in samples.values() if faults)
    tests = len(results) + len(broken) + len(samples)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="zen-agents test rules"{_counts(tests, failed, len(broken))}>',
    ]
    for path, group in groupby(results, key=lambda result: str(result.path)):
        lines += _suite(path, [(result.name, [str(failure) for failure in result.failures]) for result in group])
    if samples:
        told = [(name, [f"{each.place.short}: {each.message}" for each in faults]) for name, faults in samples.items()]
        lines += _suite("samples of patterns", told)
    for each in broken:
        name = _text(str(each.path))
        text = "\n".join(f"{diagnostic.place}: {diagnostic.code} {diagnostic.message}" for diagnostic in each.diagnostics)
        lines += [
            f'  <testsuite name="{name}"{_counts(1, 0, 1)}>',
            f'    <testcase classname="{name}" name="the file is valid">',
            f'      <error message="{_text(text.partition(chr(10))[0])}">{_text(text)}</error>',
            "    </testcase>",
            "  </testsuite>",
        ]
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(path: str, cases: Sequence[_Case]) -> Iterable[str]:
    failed = sum(1 for _, failures in cases if failures)
    yield f'  <testsuite name="{_text(path)}"{_counts(len(cases), failed, 0)}>'
    for name, failures in cases:
        head = f'    <testcase classname="{_text(path)}" name="{_text(name)}"'
        if not failures:
            yield f"{head}/>"
            continue
        text = "\n".join(failures)
        yield f"{head}>"
        yield f'      <failure message="{_text(failures[0])}">{_text(text)}</failure>'
        yield "    </testcase>"
    yield "  </testsuite>"


def _counts(tests: int, failures: int, errors: int) -> str:
    return f' tests="{tests}" failures="{failures}" errors="{errors}"'


def _text(text: str) -> str:
    """Return text as XML may hold it: what it cannot, and what a terminal would obey, is replaced."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))
