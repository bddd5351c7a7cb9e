r"""What logs say, looked at once: nothing of it is kept, and no engine is needed.

Examples:
  zen-agents logs scan /var/log/app/app.log*        errors, what was slow, and when; packed files as well
  zen-agents logs scan /var/log/syslog --since 03:00   from then on, and which kinds of lines are new
  zen-agents logs templates /var/log/syslog         which kinds of lines there are, the most frequent first
  zen-agents logs templates --learned app           what the engine learned of a source with `templates:`, and what is usual
  zen-agents logs search 'timed out after (\d+)' --since 2h
  journalctl -o short-iso -u app | zen-agents logs scan -   what comes on standard input; also in templates and search
  zen-agents logs sigma /etc/sigma/rules            which published rules can be told from logs, and why the others not

Without a file, those of the configuration's `sources:` are read. How lines are written (syslog, JSON, access logs)
is told from the first of them. Files are only read.

Exit: 0 all of it was read, 1 some of it could not be read, or no line was found.
"""

from __future__ import annotations

import argparse
import glob
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from zen_agents.cli.call import Call
from zen_agents.cli.options import config_of
from zen_agents.cli.render import note
from zen_agents.cli.times import moment_of
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError

#: In the place of a file: what comes on standard input.
STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `logs` takes."""
    parser.add_argument("verb", choices=("scan", "templates", "search", "sigma"))
    parser.add_argument(
        "words",
        nargs="*",
        metavar="FILE",
        help="logs, none: those of the configuration; search: the expression, then logs; sigma: rules",
    )
    parser.add_argument("--since", metavar="TIME", help="only lines from then on")
    parser.add_argument("--learned", action="store_true", help="templates: what the engine knows of its sources, by name")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="at most so many rows, or lines that are found")


def run(call: Call) -> int:
    """Read, and say what is there."""
    now = SystemClock().now().wall
    since = None if call.arguments.since is None else moment_of(call.arguments.since, now).timestamp()
    words, limit = call.arguments.words, call.arguments.limit
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is at least 1, not {limit}")
    if call.arguments.learned:
        from zen_agents.cli.logs_learned import learned  # noqa: PLC0415  reads no log, but the state

        if call.arguments.verb != "templates" or since is not None:
            raise UsageError(
                "--learned goes with `templates`, and has no time: zen-agents logs templates --learned [SOURCE ...]"
            )
        return learned(call, words, now.timestamp(), limit)
    if call.arguments.verb == "sigma":
        from zen_agents.cli.logs_sigma import sigma  # noqa: PLC0415  reads no log

        if not words:
            raise UsageError("name files or directories of rules: zen-agents logs sigma PATH ...")
        return sigma(call, words)
    if call.arguments.verb == "search":
        from zen_agents.cli.logs_search import search  # noqa: PLC0415  shares nothing with the report

        if not words:
            raise UsageError("name what is looked for: zen-agents logs search REGEX [FILE ...]")
        return search(call, words[0], _files(call, words[1:]), since, now.timestamp(), limit)
    from zen_agents.cli.logs_report import scan  # noqa: PLC0415  as above

    return scan(call, _files(call, words), since, now.timestamp(), limit)


def _files(call: Call, words: Sequence[str]) -> Sequence[str]:
    """Return the absolute paths of these logs, or of those that the configuration follows."""
    if words:
        return [word if word == STDIN else str(Path(word).absolute()) for word in words]
    from zen_agents.settings.loader import load  # noqa: PLC0415  not where files are named

    section = load([str(config_of(call))], os.environ).require().agents.get("log_analysis")
    sources = getattr(section, "sources", {})
    again = "search REGEX -" if call.arguments.verb == "search" else f"{call.arguments.verb} -"
    for name, source in sources.items():
        if source.journal is not None:
            fields = "".join(f" {shlex.quote(match)}" for match in source.request().journal)
            note(f"source {name} is in the journal: journalctl -o short-iso{fields} | zen-agents logs {again}")
    patterns = [source.file for source in sources.values() if source.file]
    if found := sorted({path for pattern in patterns for path in glob.glob(pattern)}):  # noqa: PTH207  absolute
        return found
    raise UsageError("name the logs: the configuration has no source with a file that is there")
