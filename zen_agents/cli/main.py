"""The command line: finds the command, parses, calls, and turns every error into one line and an exit code.

A command is a module of this folder with `add_arguments(parser)` and `run(call) -> int`; only the one that was asked for is
imported, so that the engine's process stays small and `status` is quick.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from zen_agents import __version__
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.deferred import TLS, defer
from zen_agents.errors import UsageError, ZenError


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command: its module in this folder, its group and its line in the help."""

    module: str
    group: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry("init", "start", "write a first configuration, in observe mode"),
    "run": CommandEntry("run", "start", "run the engine in the foreground"),
    "once": CommandEntry("once", "start", "look, decide and act once, wait for the outcome, and end"),
    "reload": CommandEntry("reload", "start", "load the configuration anew; a bad one changes nothing"),
    "status": CommandEntry("status", "look", "is it still broken, what was done, what comes next"),
    "events": CommandEntry("events", "look", "everything that happened, newest last"),
    "incidents": CommandEntry("incidents", "look", "list incidents, or show one"),
    "actions": CommandEntry("actions", "look", "list actions, or show one"),
    "decisions": CommandEntry("decisions", "look", "list decisions, also each no, or show one"),
    "why": CommandEntry("why", "look", "why something was done; --not: why it was not"),
    "ack": CommandEntry("ack", "decide", "say that you have an incident"),
    "act": CommandEntry("act", "decide", "run an allowed action by hand, through the same guards"),
    "pause": CommandEntry("pause", "brake", "let the engine leave something alone for a while"),
    "resume": CommandEntry("resume", "brake", "lift a pause, a closed target, or the emergency stop"),
    "safe-mode": CommandEntry("safe_mode", "brake", "checks and alerts go on, nothing is changed"),
    "breaker": CommandEntry("breaker", "brake", "list circuit breakers, or close one"),
    "stop": CommandEntry("stop", "brake", "stop the engine; --emergency: stop all changes at once"),
    "check-config": CommandEntry("check_config", "author", "check configuration files"),
    "config": CommandEntry("config", "author", "show the configuration in force and where each value came from"),
    "schema": CommandEntry("schema", "author", "print the JSON Schema of the configuration, for editors"),
    "explain": CommandEntry(
        "explain", "author", "explain a setting, an error code, an agent, a check, an action or a guard"
    ),
    "plan": CommandEntry("plan", "author", "what would be done right now; changes nothing"),
    "audit": CommandEntry("audit", "trust", "verify or export the ledger"),
    "version": CommandEntry("version", "trust", "print the version"),
}

_GROUPS = ("start", "look", "decide", "brake", "author", "trust")


class _Parser(argparse.ArgumentParser):
    """argparse whose errors suggest what was meant, and end with 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see: {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except ZenError as error:
        print(f"zen-agents: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has had enough; nothing more may be written, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _run(words: list[str]) -> int:
    name, rest = _split(words)
    if name is None:
        if any(word in ("-h", "--help") for word in words):
            print(overview())
            return 0
        name = _implied(words)
        if name is None:
            print(_FIRST_STEPS)
            return 0
        rest = [word for word in words if word != "--version"]
    entry = COMMANDS.get(name)
    if entry is None:
        import difflib  # noqa: PLC0415  only for those who made a mistake

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        raise UsageError(f"there is no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else "; see --help"))
    if name == "run":
        defer(*TLS)
    module = importlib.import_module(f"zen_agents.cli.{entry.module}")
    parser = _Parser(
        prog=f"zen-agents {name}", description=module.__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_common(parser)
    module.add_arguments(parser)
    code: int = module.run(Call(parser.parse_args(rest)))
    return code


def _split(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the command and its arguments; flags may stand before or behind the command."""
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word in _TAKE_A_VALUE:
            skip = True
        elif not word.startswith("-"):
            return word, words[:index] + words[index + 1 :]
    return None, words


_TAKE_A_VALUE = ("-c", "--config", "-o", "--output", "--state-dir", "--reason")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the flags that every command knows."""
    common = parser.add_argument_group("everywhere")
    common.add_argument("-c", "--config", metavar="FILE", help="configuration file")
    common.add_argument(
        "--state-dir", metavar="DIR", help="state directory (else ZEN_AGENTS_STATE_DIR, else the usual place)"
    )
    common.add_argument("-o", "--output", choices=FORMATS, default="table", help="how to print (default: table)")
    common.add_argument("--json", dest="output", action="store_const", const="json", help="the same as -o json")
    common.add_argument("-q", "--quiet", action="store_true", help="the summary only")
    common.add_argument("-v", "--verbose", action="count", default=0, help="more detail; twice for all")
    common.add_argument("--no-color", action="store_true", help="no colour (also: NO_COLOR)")
    common.add_argument("--utc", action="store_true", help="times in UTC instead of the local zone")
    common.add_argument("--yes", action="store_true", help="do not ask")
    common.add_argument("--no-input", action="store_true", help="never ask; what would need an answer is an error")
    common.add_argument("--reason", metavar="TEXT", help="why, for the ledger")


def overview() -> str:
    """Return the help that lists all commands."""
    lines = ["zen-agents fixes what breaks on this host, by rule, and can always say why.", ""]
    for group in _GROUPS:
        lines.append(f"{group}:")
        lines += [f"  {name:14} {entry.summary}" for name, entry in COMMANDS.items() if entry.group == group]
    lines += ["", "zen-agents COMMAND --help says more.  At 3 AM: zen-agents status, then zen-agents why @last"]
    return "\n".join(lines)


def _implied(words: list[str]) -> str | None:
    """Return what is meant where no command is named: the status, if there is anything to have one."""
    if "--version" in words:
        return "version"
    return "status" if _something_is_here(words) else None


def _something_is_here(words: list[str]) -> bool:
    from zen_agents.cli.call import something_is_here  # noqa: PLC0415  kept out of the engine's start

    parser = _Parser(prog="zen-agents", add_help=False)
    add_common(parser)
    return something_is_here(parser.parse_args(words))


_FIRST_STEPS = f"""zen-agents {__version__}: nothing is set up here yet. Three first steps:

  zen-agents init      write a first configuration (mode observe: nothing will be changed)
  zen-agents plan      what would be done right now?
  zen-agents run       watch, and do what the configuration allows

zen-agents --help lists all commands."""
