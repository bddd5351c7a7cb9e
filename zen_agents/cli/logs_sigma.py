"""`logs sigma`: which published rules can be told from the lines of logs, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import plural, say
from zen_agents.errors import UsageError
from zen_agents.settings.sigma_files import RuleFiles, read_rules


def sigma(call: Call, paths: Sequence[str]) -> int:
    """Print each rule, taken or refused with its file and reason; 1 if none can be taken."""
    try:
        found = read_rules(paths)
    except (OSError, ValueError) as error:
        raise UsageError(f"the rules cannot be read: {error}") from error
    if call.machine:
        data(call, "logs-sigma", _body(found))
    else:
        _show(call, found)
    return 0 if found.taken else 1


def _show(call: Call, found: RuleFiles) -> None:
    for taken in () if call.arguments.quiet else found.taken:
        say(
            call,
            f"taken    {taken.name}  {taken.rule.severity}  lines of {taken.rule.source.name}: {taken.rule.title}",
            hang=9,
        )
    for refused in found.refused:
        title = f" ({refused.title})" if refused.title else ""
        say(call, f"refused  {refused.file}: {refused.why}{title}", hang=9)
    print(f"{plural(len(found.taken), 'rule')} taken, {len(found.refused)} refused")


def _body(found: RuleFiles) -> dict[str, object]:
    return {
        "taken": [
            {"file": each.file, "name": each.name, "title": each.rule.title, "severity": each.rule.severity,
             "lines_of": each.rule.source.name}
            for each in found.taken
        ],
        "refused": [{"file": each.file, "title": each.title, "why": each.why} for each in found.refused],
    }  # fmt: skip
