"""`test pattern`: what a pattern matches, its named groups, and what a match would lead to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from zen_agents.agents.log_analysis.patterns import LogPattern
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.render import colour_wanted, next_steps, note, plural, say
from zen_agents.dataclass import dataclass
from zen_agents.errors import SettingsError, UsageError
from zen_agents.jobs.pattern_trial import PatternReply
from zen_agents.model.duration import duration
from zen_agents.model.scalars import check_regex
from zen_agents.rehearsal.lines import Lines, read_lines
from zen_agents.rehearsal.pattern_trials import sample_faults, try_lines
from zen_agents.settings.diagnostics import Diagnostic
from zen_agents.settings.loader import load_tree
from zen_agents.settings.patterns import REDACT, NamedPattern, named_pattern
from zen_agents.settings.rendering import as_json, render

_MOST_SHOWN, _MOST_SHOWN_VERBOSE = 20, 1000


@dataclass(frozen=True, slots=True)
class _Source:
    lines: Lines
    reply: PatternReply


def run_pattern(call: Call) -> int:
    """Try the pattern on its samples and on what was named; 1 if nothing matched, or a sample is not as it has to be."""
    pattern, diagnostics = _wanted(call)
    if pattern is None:
        return _refused(call, diagnostics)
    names = call.arguments.files if call.arguments.expression else call.arguments.files[1:]
    faults = sample_faults(pattern)
    if not names and not pattern.samples:
        raise UsageError(f"name what to try {pattern.name} on: a file, - for standard input, or journal:")
    sources = [_tried(call, pattern, read_lines(str(name))) for name in names]
    if call.machine:
        data(call, "test-pattern", _body(pattern, sources, faults))
    else:
        _show(call, pattern, sources, faults)
    matched = sum(source.reply.matched for source in sources)
    return 1 if faults or (sources and not matched) else 0


def _wanted(call: Call) -> tuple[NamedPattern | None, Sequence[Diagnostic]]:
    expression = call.arguments.expression
    if expression is not None:
        try:
            check_regex(expression)
        except ValueError as error:
            place = getattr(error, "context", None) or {}
            at = int(place.get("offset", 0))
            raise UsageError(f"-e: {error}\n  {expression}\n  {' ' * at}^ here") from None
        return NamedPattern("-e", ((expression, "-e"),)), ()
    if not call.arguments.files:
        raise UsageError(f"name a pattern of the configuration, {REDACT}, or a bare expression: -e REGEX")
    loaded, tree = load_tree([config_of(call)], os.environ)
    if not tree.value:
        return None, loaded.errors
    found = named_pattern(tree, str(call.arguments.files[0]))
    return found.pattern, found.diagnostics


def _refused(call: Call, diagnostics: Sequence[Diagnostic]) -> int:
    if call.machine:
        body: dict[str, Any] = {"pattern": None, "sources": [], "samples": None}
        data(call, "test-pattern", body | {"diagnostics": [as_json(each) for each in diagnostics]})
    else:
        print(render(diagnostics, "full", colour=colour_wanted(call)))
    return SettingsError.exit_code


# -- trying ---------------------------------------------------------------------------------------------------------------
def _tried(call: Call, pattern: NamedPattern, lines: Lines) -> _Source:
    most = _MOST_SHOWN_VERBOSE if call.machine or call.arguments.verbose else _MOST_SHOWN
    return _Source(lines, try_lines(pattern, lines.lines, show=call.arguments.show, most_shown=most))


# -- telling --------------------------------------------------------------------------------------------------------------
def _show(call: Call, pattern: NamedPattern, sources: Sequence[_Source], faults: Sequence[Diagnostic]) -> None:
    if faults:
        print(render(faults, "full", colour=colour_wanted(call)))
    if pattern.samples:
        wrong = f", {len(faults)} not as they have to be" if faults else ", all as they have to be"
        say(call, f"{plural(len(pattern.samples), 'sample')}{wrong}")
    for source in sources:
        if not call.arguments.quiet:
            _show_lines(call, source)
        say(call, _summary(source), hang=2)
        if source.lines.cut:
            note(f"{source.lines.source}: {source.lines.cut}")
    if sources and len(pattern.expressions) > 1:
        for index, (expression, place) in enumerate(pattern.expressions):
            times = sum(source.reply.by_expression[index] for source in sources)
            say(call, f"{place}  {plural(times, 'line')}  {expression}", indent=2, hang=4)
    for line in _consequence(pattern, sources):
        say(call, line, hang=2)
    if any(source.reply.ignored for source in sources) and call.arguments.show != "ignored":
        next_steps(call, "the same with --show ignored")


def _show_lines(call: Call, source: _Source) -> None:
    for line in source.reply.shown:
        say(call, f"{source.lines.source}:{line.number}: {line.text if line.after is None else line.after}", hang=4)
        for name, value in line.groups.items():
            say(call, f"{name} = {'(took no part)' if value is None else value}", indent=6, hang=2)
        if line.why:
            say(call, f"ignored: it {line.why}", indent=6, hang=2)
    wanted = getattr(source.reply, call.arguments.show)
    if more := wanted - len(source.reply.shown):
        how = "" if call.arguments.verbose else " (-v shows up to 1000)"
        say(call, f"... and {more} more{how}")


def _summary(source: _Source) -> str:
    reply = source.reply
    return f"{source.lines.source}: {reply.matched} matched, {reply.missed} missed, {reply.ignored} ignored"


def _consequence(pattern: NamedPattern, sources: Sequence[_Source]) -> list[str]:
    """Say what matches lead to, as the configuration has it."""
    effect = pattern.effect
    if effect is None:
        told = "what is left of a line stands above, as records and messages would have it"
        return [told] if pattern.name == REDACT and sources else []
    within = f" within {duration(effect.within.total_seconds())}" if effect.within else ""
    does = f"asks for {', then '.join(effect.on_match)}" if effect.on_match else "tells people, and does nothing"
    lines = [f"{_finding(effect)}{within} would open an incident ({effect.severity}) that {does}"]
    if effect.absent_for is not None or effect.sequence:
        lines.append("whether that came true is not judged here: lines are tried one by one")
    elif sources and (got := sum(source.reply.matched for source in sources)) < effect.count:
        lines.append(f"not with these: {plural(got, 'line')} matched of the {effect.count} that it takes")
    elif within and effect.count > 1 and sources:
        lines.append("whether these came within that time is not known: times of lines are not read here")
    if pattern.not_allowed:
        lines.append(f"`actions.allow` does not name {', '.join(pattern.not_allowed)}: that would be refused")
    if effect.on_match:
        lines.append("a log line alone never acts: a check has to see that the target is bad as well")
    return lines


def _finding(effect: LogPattern) -> str:
    if effect.absent_for is not None:
        return f"no such line for {duration(effect.absent_for.total_seconds())}"
    if effect.sequence:
        return f"{len(effect.sequence)} lines in this order"
    if effect.distinct:
        return f"lines with {effect.count} different values of `{effect.distinct}`"
    return plural(effect.count, "line")


def _body(pattern: NamedPattern, sources: Sequence[_Source], faults: Sequence[Diagnostic]) -> dict[str, Any]:
    samples = {"tried": len(pattern.samples), "wrong": len(faults)} if pattern.samples else None
    expressions = [{"expression": expression, "place": place} for expression, place in pattern.expressions]
    return {
        "pattern": {"name": pattern.name, "expressions": expressions, "effect": _effect(pattern)},
        "samples": samples,
        "sources": [
            {"source": source.lines.source, "cut": source.lines.cut, **source.reply.model_dump(mode="json")}
            for source in sources
        ],
        "diagnostics": [as_json(each) for each in faults],
    }  # fmt: skip


def _effect(pattern: NamedPattern) -> dict[str, Any] | None:
    effect = pattern.effect
    if effect is None:
        return None
    within = None if effect.within is None else effect.within.total_seconds()
    return {
        "count": effect.count, "within_seconds": within, "severity": str(effect.severity), "actions": list(effect.on_match),
        "not_allowed": list(pattern.not_allowed), "acts": bool(effect.on_match) and not pattern.not_allowed,
    }  # fmt: skip
