"""What every command takes, as data: completion and man pages are made from what --help is made from."""

from __future__ import annotations

import argparse
import importlib
import inspect
from collections.abc import Mapping

from zen_agents.cli.call import FORMATS
from zen_agents.cli.main import COMMANDS
from zen_agents.cli.parsing import Parser, add_common, parser_of, usage_of
from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag."""

    words: tuple[str, ...]
    #: What its value is called, "" if it takes none.
    takes: str
    choices: tuple[str, ...]
    meaning: str
    #: True if it may stand alone although it takes a value.
    may_stand_alone: bool = False


@dataclass(frozen=True, slots=True)
class Positional:
    """One word that is no flag."""

    name: str
    choices: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class CommandGrammar:
    """One command."""

    name: str
    summary: str
    #: Its usage line, and what --help says in full.
    usage: str
    about: str
    flags: tuple[Flag, ...]
    positionals: tuple[Positional, ...]


def grammar() -> Mapping[str, CommandGrammar]:
    """Return every command by name; imports all of them."""
    return {name: _command(name) for name in COMMANDS}


def common_flags() -> tuple[Flag, ...]:
    """Return the flags that every command knows."""
    parser = Parser(prog="zen-agents")
    add_common(parser)
    return _flags(parser)


def _command(name: str) -> CommandGrammar:
    module = importlib.import_module(f"zen_agents.cli.{COMMANDS[name].module}")
    about = inspect.cleandoc(module.__doc__ or "")
    parser = parser_of(name, about, getattr(module, "OUTPUTS", FORMATS))
    module.add_arguments(parser)
    common = common_flags()
    own = tuple(flag for flag in _flags(parser) if flag not in common and "-h" not in flag.words)
    words = [action for action in parser._actions if not action.option_strings]
    positionals = tuple(Positional(_name(each), _choices(each), each.help or "") for each in words)
    return CommandGrammar(name, COMMANDS[name].summary, usage_of(parser), about, own, positionals)


def _flags(parser: argparse.ArgumentParser) -> tuple[Flag, ...]:
    actions = [action for action in parser._actions if action.option_strings]
    return tuple(
        Flag(
            tuple(action.option_strings), "" if action.nargs == 0 else _name(action), _choices(action), action.help or "",
            may_stand_alone=action.nargs == "?",
        )
        for action in actions
    )  # fmt: skip


def _name(action: argparse.Action) -> str:
    return str(action.metavar or (action.dest.upper() if action.option_strings else action.dest))


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(str(choice) for choice in action.choices) if action.choices else ()
