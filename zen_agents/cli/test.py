"""Test rules: what is seen over time, and what the engine has to make of it. Or a pattern: what it matches in a log.

Examples:
  zen-agents test rules tests/*.yaml                each test, and what was not as expected
  zen-agents test rules nginx.yaml --run cooldown --explain    only these tests, with every decision and guard
  zen-agents test rules tests/*.yaml --junit out.xml           for the pipeline as well
  zen-agents test pattern oom_kill /var/log/kern.log           a pattern of the configuration, its samples first
  zen-agents test pattern redact - < app.log                   what `redact:` leaves of each line
  zen-agents test pattern -e 'pid (?P<pid>[0-9]+)' journal: --show missed

It needs no privilege and no network, and rules need no host. An expression that takes too long for a line is ended and told.

Exit: 0 all passed or something matched, 1 a test failed or nothing matched, 78 a file or its configuration is not valid.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zen_agents.cli.answers import show_answers
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.render import clean, colour_wanted, plural, say
from zen_agents.errors import SettingsError, UsageError
from zen_agents.model.pattern import Pattern, PatternError, compiled
from zen_agents.rehearsal.expectations import course, line_of
from zen_agents.rehearsal.junit import junit
from zen_agents.rehearsal.rule_testing import Broken, Result, run_files
from zen_agents.settings.diagnostics import Diagnostic
from zen_agents.settings.patterns import NamedPattern
from zen_agents.settings.rendering import as_json, render

_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `test` takes."""
    parser.add_argument("what", choices=("rules", "pattern"), help="what is tested")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", type=Path,
        help="rules: files of rule tests; pattern: its name or redact, then files, - or journal:",
    )  # fmt: skip
    parser.add_argument("--run", metavar="REGEX", default="", help="rules: only tests whose `FILE: name` it matches")
    parser.add_argument("--junit", metavar="OUT", type=Path, help="rules: write the results as JUnit XML as well")
    parser.add_argument("--diff", action="store_true", help="rules: show expected and got of a failure as a diff")
    parser.add_argument(
        "--explain", action="store_true", help="rules: show everything that came of each test, with every guard"
    )
    parser.add_argument("-e", "--expression", metavar="REGEX", help="pattern: this one, instead of a name")
    parser.add_argument(
        "--show", choices=("matched", "missed", "ignored"), default="matched",
        help="pattern: the lines to show; ignored: too long, or it took too long (default matched)",
    )  # fmt: skip


def run(call: Call) -> int:
    """Test what was named, and tell what was not as it has to be."""
    if call.arguments.what == "pattern":
        from zen_agents.cli.test_pattern import run_pattern  # noqa: PLC0415  needs no rules

        return run_pattern(call)
    if not call.arguments.files:
        raise UsageError("name files of rule tests, as in: zen-agents test rules tests/*.yaml")
    return _run_rules(call)


def _run_rules(call: Call) -> int:
    # What a test makes the engine complain of is in its course; it is no message of this command.
    logging.getLogger("zen_agents").addHandler(logging.NullHandler())
    ran = asyncio.run(run_files(call.arguments.files, os.environ, only=_pattern(call), config=lambda: config_of(call)))
    results, broken = ran.results, ran.broken
    if not results and not broken:
        raise UsageError(f"--run {call.arguments.run} matches none of the tests")
    # Whoever runs a few tests wants to know of these.
    samples = {} if call.arguments.run else _samples(ran.sampled)
    if call.arguments.junit is not None:
        _write(call.arguments.junit, junit(results, broken, samples))
    failed = sum(1 for result in results if result.failures)
    misjudged = sum(1 for faults in samples.values() if faults)
    if call.machine:
        data(call, "test-rules", _body(results, broken, samples))
    else:
        _show(call, results, broken)
        _show_samples(call, samples)
        invalid = f", {len(broken)} not valid" if broken else ""
        tried = f"; samples: {plural(len(samples), 'pattern')}, {len(samples) - misjudged} ok" if samples else ""
        print(f"{len(results) - failed} passed, {failed} failed{invalid}{tried}")
    if broken:
        return SettingsError.exit_code
    return _FAILED if failed or misjudged else 0


def _samples(patterns: Sequence[NamedPattern]) -> dict[str, Sequence[Diagnostic]]:
    """Return what is wrong with the samples of each pattern, by its name."""
    if not patterns:
        return {}
    from zen_agents.rehearsal.pattern_trials import sample_faults  # noqa: PLC0415  only where there are any

    return {f"{each.samples[0].place.document.name}: {each.name}": sample_faults(each) for each in patterns}


def _show_samples(call: Call, samples: Mapping[str, Sequence[Diagnostic]]) -> None:
    faults = [fault for each in samples.values() for fault in each]
    if faults:
        print(render(faults, "full", colour=colour_wanted(call)))


def _pattern(call: Call) -> Pattern:
    try:
        return compiled(call.arguments.run)
    except PatternError as error:
        raise UsageError(f"--run {call.arguments.run!r} is no regular expression: {error}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _show(call: Call, results: Sequence[Result], broken: Sequence[Broken]) -> None:
    for each in broken:
        print(render(each.diagnostics, "full", colour=colour_wanted(call), files=[str(each.path)]))
    for result in results:
        if result.failures:
            for failure in result.failures:
                say(call, f"FAIL  {failure}", hang=6)
                for line in course(failure, result.events) if call.arguments.diff else ():
                    print(f"      {clean(line)}")
            if not call.arguments.explain:
                again = shlex.join(["zen-agents", "test", "rules", str(result.path), "--run", _literally(result.name)])
                print(f"      why: {clean(again)} --explain")
        elif not call.arguments.quiet:
            say(call, f"PASS  {result.path.name}: {result.name}", hang=6)
        if call.arguments.explain:
            _explain(call, result)


def _literally(name: str) -> str:
    """Return a regular expression that finds this name, and is still read easily."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", name)


def _explain(call: Call, result: Result) -> None:
    for event in result.events:
        print(f"      {clean(line_of(event))}")
        if event.guards:
            about = {"rule": event.rule, "action": event.action, "target": event.target}
            show_answers(call, event.guards, about=about, indent=17, every=bool(call.arguments.verbose))


def _body(
    results: Sequence[Result], broken: Sequence[Broken], samples: Mapping[str, Sequence[Diagnostic]]
) -> dict[str, Any]:  # fmt: skip
    misjudged = [fault for faults in samples.values() for fault in faults]
    return {
        "passed": sum(1 for result in results if not result.failures),
        "failed": sum(1 for result in results if result.failures),
        "diagnostics": [as_json(each) for each in (*(one for file in broken for one in file.diagnostics), *misjudged)],
        "samples": {"patterns": len(samples), "wrong": sum(1 for faults in samples.values() if faults)},
        "tests": [
            {
                "file": str(result.path), "name": result.name, "ok": not result.failures,
                "failures": [
                    {"file": failure.place.document.name, "line": failure.place.line, "expected": failure.expected,
                     "got": failure.got, "rule": failure.rule}
                    for failure in result.failures
                ],
            }
            for result in results
        ],
    }  # fmt: skip
