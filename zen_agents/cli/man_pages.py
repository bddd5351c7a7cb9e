"""The manual: zen-agents(1), a page for each command, and zen-agents-config(5), from what --help and `explain` read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from zen_agents import __version__
from zen_agents.cli import roff
from zen_agents.cli.exit_codes import EXIT_CODES
from zen_agents.cli.grammar import CommandGrammar, Flag, common_flags, grammar
from zen_agents.cli.main import COMMANDS, GROUPS
from zen_agents.settings.every_key import Defaults, every_key
from zen_agents.settings.explain import explain

_WHAT_IT_IS = """\
zen-agents watches this host by rules, does what its configuration allows, looks again to see whether it helped, stops when
it did not, and tells people the rest. Every decision is kept, with its reason.

At 3 AM: `zen-agents status`, then `zen-agents why @last`. To stop every change at once, also if this program is broken:
`scripts/stop-agents.sh --emergency`."""
_OTHER_FLAGS = "Those that every command knows are in `zen-agents`(1)."
_FILES = (
    ("/etc/zen-agents/config.yaml", "the configuration; `conf.d/*.yaml` beside it is laid over it"),
    ("$XDG_CONFIG_HOME/zen-agents/config.yaml", "the same of an ordinary user"),
    ("/var/lib/zen-agents", "the state, as root; else `$XDG_STATE_HOME/zen-agents`, or what ZEN_AGENTS_STATE_DIR names"),
)
_VALUES = """\
The configuration is one YAML file. A duration has a unit (`30s` `5m` `2h` `7d`), a size too (`512KiB` `50MiB` `2GiB`); a
time of day is `"22:00"`, a file mode is octal in quotes (`"0640"`), a cron expression has five fields in quotes. An unknown
or doubled key is an error; keys that begin with `x-` are yours. `NAME` stands for a name of your choice, `[]` for each item
of a list.

`zen-agents check-config` says what is wrong, with its place; `zen-agents explain config KEY` says more about a key."""


def man_pages() -> Mapping[str, str]:
    """Return every page by the name of its file, such as `zen-agents-why.1`."""
    commands = grammar()
    pages = {"zen-agents.1": _overview(commands), "zen-agents-config.5": _configuration()}
    return pages | {f"zen-agents-{name}.1": _command(command) for name, command in commands.items()}


def _overview(commands: Mapping[str, CommandGrammar]) -> str:
    groups = []
    for group in GROUPS:
        members = [(f"zen-agents {name}", commands[name].summary) for name, each in COMMANDS.items() if each.group == group]
        groups += [f".SS {group.upper()}", roff.definitions(members)]
    return _page(
        "zen-agents", 1, "fixes what breaks on this host, by rule, and can always say why",
        roff.section("SYNOPSIS", f"\\fB{roff.escaped('zen-agents')}\\fR \\fICOMMAND\\fR [FLAGS]"),
        roff.section("DESCRIPTION", roff.paragraphs(_WHAT_IT_IS)),
        roff.section("COMMANDS", *groups),
        roff.section("FLAGS", "Every command knows these.", _flags(common_flags())),
        roff.section("EXIT STATUS", roff.definitions([(str(code), text) for code, text in EXIT_CODES.items()])),
        roff.section("FILES", roff.definitions(_FILES)),
        _see_also(("zen-agents-config", 5), *((f"zen-agents-{name}", 1) for name in ("status", "why", "doctor"))),
    )  # fmt: skip


def _command(command: CommandGrammar) -> str:
    summary, description, examples, exits = _parts(command.about)
    words = [(each.name, each.meaning + _one_of(each.choices)) for each in command.positionals]
    return _page(
        f"zen-agents-{command.name}", 1, command.summary,
        roff.section("SYNOPSIS", f"\\fB{roff.escaped(command.usage)}\\fR"),
        roff.section("DESCRIPTION", roff.paragraphs(f"{summary}\n\n{description}".strip())),
        roff.section("EXAMPLES", roff.verbatim(examples) if examples else ""),
        roff.section("ARGUMENTS", roff.definitions(words)),
        roff.section("FLAGS", _flags(command.flags), ".PP" if command.flags else "", roff.inline(_OTHER_FLAGS)),
        roff.section("EXIT STATUS", roff.inline(exits) if exits else ""),
        _see_also(("zen-agents", 1), ("zen-agents-config", 5)),
    )  # fmt: skip


def _parts(about: str) -> tuple[str, str, str, str]:
    """Return what a command's text says: the first sentence, the rest, the examples, and what it ends with."""
    blocks = re.split(r"\n\s*\n", about)
    examples = next((block for block in blocks if block.startswith("Examples:")), "")
    exits = next((block for block in blocks if block.startswith("Exit:")), "")
    rest = [block for block in blocks[1:] if block not in (examples, exits)]
    return blocks[0], "\n\n".join(rest), examples.partition("\n")[2], exits.partition("Exit:")[2]


def _configuration() -> str:
    defaults = Defaults()
    described: list[tuple[str, str]] = []
    for key in every_key():
        facts = explain(key.path)
        if key.shape.keys:
            described.append((key.shown, facts.description))
            continue
        default = "needed" if facts.needed else f"default `{value}`" if (value := defaults.of(key.path, facts)) else ""
        variable = f"variable `{facts.environment}`" if facts.environment else ""
        meaning = "; ".join(filter(None, (facts.description, facts.type, default, variable)))
        described.append((key.shown, meaning))
    return _page(
        "zen-agents-config", 5, "the configuration of zen-agents",
        roff.section("DESCRIPTION", roff.paragraphs(_VALUES)), roff.section("KEYS", roff.definitions(described)),
        roff.section("FILES", roff.definitions(_FILES)), _see_also(("zen-agents", 1), ("zen-agents-check-config", 1)),
    )  # fmt: skip


def _page(name: str, number: int, summary: str, *sections: str) -> str:
    named = f"{roff.escaped(name)} \\- {roff.escaped(summary)}"
    return "\n".join(filter(None, (roff.heading(name, number, __version__), roff.section("NAME", named), *sections))) + "\n"


def _flags(flags: tuple[Flag, ...]) -> str:
    pairs = []
    for flag in flags:
        value = f"[={flag.takes}]" if flag.may_stand_alone else f" {flag.takes}" if flag.takes else ""
        pairs.append((", ".join(flag.words) + value, flag.meaning + _one_of(flag.choices)))
    return roff.definitions(pairs)


def _one_of(choices: tuple[str, ...]) -> str:
    return f" (one of {', '.join(choices)})" if choices else ""


def _see_also(*pages: tuple[str, int]) -> str:
    return roff.section("SEE ALSO", ",\n".join(f"\\fB{roff.escaped(name)}\\fR({number})" for name, number in pages))
