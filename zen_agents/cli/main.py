"""The command line: finds the command, parses, calls, and turns every error into one line and an exit code.

A command is a module of this folder with `add_arguments(parser)` and `run(call) -> int`, and `OUTPUTS` if it prints in other
forms than the usual ones; only the one that was asked for is imported, so that the engine's process stays small and `status`
is quick.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from zen_agents import __version__
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.parsing import Parser, add_common, meant, output_of, parser_of, spelled_out, split, usage_of
from zen_agents.deferred import defer
from zen_agents.errors import PermissionDeniedError, UsageError, ZenError


class CommandEntry(NamedTuple):
    """One command: its module in this folder, its group and its line in the help."""

    # A tuple: what makes dataclasses is a tenth of what `status` would load.

    module: str
    group: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry("init", "start", "write a first configuration, in observe mode"),
    "run": CommandEntry("run", "start", "run the engine in the foreground"),
    "once": CommandEntry("once", "start", "look, decide and act once, wait for the outcome, and end"),
    "reload": CommandEntry("reload", "start", "load the configuration anew; a bad one changes nothing"),
    "status": CommandEntry("status", "look", "is it still broken, what was done, what comes next"),
    "top": CommandEntry("top", "look", "the status, live; no key acts on the host"),
    "events": CommandEntry("events", "look", "everything that happened, newest last"),
    "incidents": CommandEntry("incidents", "look", "list incidents, or show one"),
    "actions": CommandEntry("actions", "look", "list actions, or show one"),
    "decisions": CommandEntry("decisions", "look", "list decisions, also each no, or show one"),
    "why": CommandEntry("why", "look", "why something was done; --not: why it was not"),
    "report": CommandEntry("report", "look", "what came of it: proof of fix, healing debt, who did what"),
    "logs": CommandEntry("logs", "look", "what logs say: errors, new kinds of lines, slow operations"),
    "packages": CommandEntry("packages", "look", "what is installed, known weaknesses of it, an SBOM"),
    "data": CommandEntry("data", "look", "whether data sets are what they should be: files, tables"),
    "runbook": CommandEntry("runbook", "look", "what to do about it, without a network"),
    "approvals": CommandEntry("approvals", "decide", "list what people are asked, or show one question"),
    "approve": CommandEntry("approve", "decide", "say yes to what is asked"),
    "deny": CommandEntry("deny", "decide", "say no to what is asked"),
    "ack": CommandEntry("ack", "decide", "say that you have an incident"),
    "act": CommandEntry("act", "decide", "run an allowed action by hand, through the same guards"),
    "undo": CommandEntry("undo", "decide", "take back what an action did"),
    "rollback": CommandEntry("rollback", "decide", "undo everything that was done since a time or an action"),
    "pause": CommandEntry("pause", "brake", "let the engine leave something alone for a while"),
    "resume": CommandEntry("resume", "brake", "lift a pause, a closed target, or the emergency stop"),
    "maintenance": CommandEntry("maintenance", "brake", "list windows of planned work, start or end one"),
    "safe-mode": CommandEntry("safe_mode", "brake", "checks and alerts go on, nothing is changed"),
    "breaker": CommandEntry("breaker", "brake", "list circuit breakers, or close one"),
    "stop": CommandEntry("stop", "brake", "stop the engine; --emergency: stop all changes at once"),
    "check-config": CommandEntry("check_config", "author", "check configuration files"),
    "config": CommandEntry("config", "author", "show the configuration in force and where each value came from"),
    "schema": CommandEntry("schema", "author", "print the JSON Schema of the configuration, for editors"),
    "baseline": CommandEntry("baseline", "author", "record how files are now, for baselines to compare with"),
    "explain": CommandEntry("explain", "author", "explain a setting, an error code, a check, an action, a guard"),
    "plan": CommandEntry("plan", "author", "what would be done right now; changes nothing"),
    "new": CommandEntry("new", "author", "begin a check, action, agent or rule of your own, with tests"),
    "alert": CommandEntry("alert", "trust", "try the way to people, or show what they would get"),
    "replay": CommandEntry("replay", "author", "what a configuration would have decided in the recorded past"),
    "lint": CommandEntry("lint", "author", "what rules may do at worst, and what can never work"),
    "test": CommandEntry("test", "author", "test rules: what is seen over time, and what has to come of it"),
    "audit": CommandEntry("audit", "trust", "verify or export the ledger"),
    "doctor": CommandEntry("doctor", "trust", "what may be wrong with the installation; --bundle packs it"),
    "version": CommandEntry("version", "trust", "print the version"),
    "completion": CommandEntry("completion", "shell", "print the completion script of bash, zsh or fish"),
    "man": CommandEntry("man", "shell", "print a page of the manual, or write all of them"),
}

#: In this order commands are listed.
GROUPS = ("start", "look", "decide", "brake", "author", "trust", "shell")


#: What a shell says of a program that ended because nobody read on (128 + SIGPIPE).
_NOBODY_READS = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever goes wrong is one line on stderr."""
    words = spelled_out(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that does not know a character gets its number, never a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of a pipe has had enough; nothing more may be written, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _NOBODY_READS
    except KeyboardInterrupt:
        # As shells say it of what SIGINT ended.
        return 130
    except ZenError as error:
        return _failed(error, words)
    except Exception as error:
        if "-v" in words or "-vv" in words or "--verbose" in words:
            raise
        return _failed(_told(error), words)


def _failed(error: ZenError, words: Sequence[str]) -> int:
    from zen_agents.cli.render import note  # noqa: PLC0415  kept out of the engine's start

    for line in f"zen-agents: {error}".splitlines():
        note(line)
    if output_of(words) not in ("table", "wide", "name"):
        from zen_agents.cli.envelope import print_error  # noqa: PLC0415  only for programs

        # The error has been told; a pipe that is closed must not hide its exit code.
        with contextlib.suppress(OSError):
            print_error(error, output_of(words))
    return error.exit_code


def _told(error: Exception) -> ZenError:
    """Return an error that no command expected as one that says the next step."""
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        kind = PermissionDeniedError if isinstance(error, PermissionError) else ZenError
        return kind(f"{place}{error.strerror or error}")
    return ZenError(f"this should not happen: {type(error).__name__}: {error}; -v shows where, please report it")


def _run(words: list[str]) -> int:
    name, rest = split(words, COMMANDS)
    if name in (None, "help"):
        name, rest = (_implied(words), rest) if name is None else _help_on(rest)
    if name is None:
        asked = "help" in words or "-h" in words or "--help" in words
        print(overview() if asked else _FIRST_STEPS)
        return 0
    entry = COMMANDS.get(name)
    if entry is None:
        raise UsageError(f"there is no command {name!r}{meant(name, COMMANDS)}; see: zen-agents --help")
    if name == "run":
        # Nearly all that a start makes stays; looking for what does not, again and again, is a tenth of it.
        from zen_agents.cli.deferred import AT_FIRST_USE, own_hashes, without_plugins  # noqa: PLC0415  no other needs it

        gc.disable()
        defer(*AT_FIRST_USE)
        with own_hashes(), without_plugins():
            importlib.import_module("zen_agents.cli.run")
    module = importlib.import_module(f"zen_agents.cli.{entry.module}")
    parser = parser_of(name, module.__doc__, getattr(module, "OUTPUTS", FORMATS))
    module.add_arguments(parser)
    parser.usage = usage_of(parser)
    # Flags may stand between what a command takes.
    call = Call(parser.parse_intermixed_args([word for word in rest if word != "--version"]))
    if name != "run" and not gc.isenabled():
        # As the process began; what is loaded by now stays, and is not looked through.
        gc.freeze()
        gc.enable()
    code: int = module.run(call)
    return code


def _help_on(rest: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return what `help status` means: `status --help`; a bare `help` is the overview."""
    named = next((word for word in rest if not word.startswith("-")), None)
    return named, ["--help"]


def overview() -> str:
    """Return the help that lists all commands."""
    lines = ["zen-agents fixes what breaks on this host, by rule, and can always say why.", ""]
    for group in GROUPS:
        lines.append(f"{group}:")
        lines += [f"  {name:14} {entry.summary}" for name, entry in COMMANDS.items() if entry.group == group]
    lines += ["", "zen-agents COMMAND --help says more.", "At 3 AM: zen-agents status, then zen-agents why @last"]
    return "\n".join(lines)


def _implied(words: list[str]) -> str | None:
    """Return what is meant where no command is named: the status, if there is anything to have one."""
    if "--version" in words:
        return "version"
    if "-h" in words or "--help" in words:
        return None
    return "status" if _something_is_here(words) else None


def _something_is_here(words: list[str]) -> bool:
    from zen_agents.cli.call import something_is_here  # noqa: PLC0415  kept out of the engine's start

    parser = Parser(prog="zen-agents", add_help=False)
    add_common(parser)
    return something_is_here(parser.parse_args(words))


_FIRST_STEPS = f"""zen-agents {__version__}: nothing is set up here yet. Three first steps:

  zen-agents init      write a first configuration (mode observe: nothing will be changed)
  zen-agents plan      what would be done right now?
  zen-agents run       watch, and do what the configuration allows

zen-agents --help lists all commands."""
