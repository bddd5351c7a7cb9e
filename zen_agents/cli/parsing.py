"""How words become arguments: flags before or behind the command, and what was meant where something is misspelt."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from zen_agents.cli.call import FORMATS
from zen_agents.cli.terminal_width import terminal_columns
from zen_agents.errors import UsageError

#: Flags that every command knows and that take a value.
_TAKE_A_VALUE = ("-c", "--config", "-o", "--output", "--state-dir", "--reason")
#: Flags that every command knows and that take none.
_ALONE = (
    "-q",
    "--quiet",
    "-v",
    "-vv",
    "--verbose",
    "--no-color",
    "--utc",
    "--yes",
    "--no-input",
    "--version",
    "-h",
    "--help",
)


class Parser(argparse.ArgumentParser):
    """argparse whose errors suggest what was meant, and end with 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}{self._meant(message)}; see: {self.prog} --help")

    def _meant(self, message: str) -> str:
        unknown = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        return meant(unknown[1], self._option_string_actions) if unknown else ""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are, and gives the flags room."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=terminal_columns() - 2)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        # What is named by one word in the usage is listed here; else argparse lists it there, however long.
        listed = f" (one of {', '.join(map(str, action.choices))})" if action.metavar and action.choices else ""
        return f"{action.help or ''}{listed}"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if not sys.stdout.isatty():
            return super()._fill_text(text, width, indent)
        from zen_agents.cli.help_text import fitted  # noqa: PLC0415  kept out of the engine's start

        return fitted(text, width)


def parser_of(command: str, about: str | None, outputs: Sequence[str] = FORMATS) -> Parser:
    """Return the parser of one command, with the flags that every command knows."""
    parser = Parser(
        prog=f"zen-agents {command}", description=about, allow_abbrev=False, conflict_handler="resolve",
        formatter_class=_Formatter,
    )  # fmt: skip
    add_common(parser, outputs)
    return parser


def usage_of(parser: argparse.ArgumentParser) -> str:
    """Return the command with its arguments, without the flags: they are listed below it."""
    words = [_positional(action) for action in parser._actions if not action.option_strings]
    return " ".join([parser.prog, *words, "[FLAGS]"])


def _positional(action: argparse.Action) -> str:
    name = "|".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())
    return f"[{name}]" if action.nargs in ("?", "*") else name


def meant(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'status'?`, "" if nothing known is like it."""
    import difflib  # noqa: PLC0415  only for those who made a mistake

    near = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def split(words: Sequence[str], commands: Iterable[str]) -> tuple[str | None, list[str]]:
    """Return the command and its arguments; flags may stand before or behind the command."""
    known, skip, after_a_flag = frozenset(commands), False, False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _TAKE_A_VALUE
            # A flag of the command itself; what follows may be its value.
            after_a_flag = not skip and word not in _ALONE and not word.startswith("--json") and "=" not in word
        elif after_a_flag and word not in known:
            after_a_flag = False
        else:
            return word, [*words[:index], *words[index + 1 :]]
    return None, list(words)


def spelled_out(words: Sequence[str]) -> list[str]:
    """Return the words with `--json` made plain: fields follow it only behind a `=` or with a comma in them."""
    plain: list[str] = []
    rest = iter(range(len(words)))
    for index in rest:
        if words[index] != "--json":
            plain.append(words[index])
            continue
        follows = words[index + 1] if index + 1 < len(words) else ""
        if "," in follows and not follows.startswith("-"):
            plain.append(f"--json={follows}")
            next(rest)
        else:
            plain.append("--json=")
    return plain


def output_of(words: Sequence[str]) -> str:
    """Return the output that these words ask for, also where they cannot be parsed: errors are told in that form."""
    for index, word in enumerate(words):
        if word.startswith("--json"):
            return "json"
        if word in ("-o", "--output") and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(("--output=", "-o")) and len(word) > 2:
            return word.removeprefix("--output=").removeprefix("-o").removeprefix("=")
    return "table"


def add_common(parser: argparse.ArgumentParser, outputs: Sequence[str] = FORMATS) -> None:
    """Add the flags that every command knows."""
    common = parser.add_argument_group("everywhere")
    common.add_argument("-c", "--config", metavar="FILE", help="configuration file")
    common.add_argument(
        "--state-dir", metavar="DIR", help="state directory (else ZEN_AGENTS_STATE_DIR, else the usual place)"
    )
    common.add_argument(
        "-o", "--output", metavar="FORMAT", choices=outputs, default="table", help="how to print (default: table)",
    )  # fmt: skip
    common.add_argument(
        "--json", metavar="FIELD,...", nargs="?", help="the same as -o json; with fields, only these: --json=id,outcome"
    )
    common.add_argument("-q", "--quiet", action="store_true", help="the summary only")
    common.add_argument("-v", "--verbose", action="count", default=0, help="more detail; twice for all")
    common.add_argument("--no-color", action="store_true", help="no colour (also: NO_COLOR)")
    common.add_argument("--utc", action="store_true", help="times in UTC instead of the local zone")
    common.add_argument("--yes", action="store_true", help="do not ask")
    common.add_argument("--no-input", action="store_true", help="never ask; what would need an answer is an error")
    common.add_argument("--reason", metavar="TEXT", help="why, for the ledger")


def positive(text: str) -> int:
    """Return a whole number of at least one; for argparse."""
    number = int(text) if text.isdecimal() and text.isascii() else 0
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 1000000")
    return number
