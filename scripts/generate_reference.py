"""Writes docs/reference/*.md from the code: what the product can do, in its own words.

scripts/reference            writes the pages
scripts/reference --check    says which pages are not fresh, and ends with 1
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from reference_config import config_page

from zen_agents import catalog, errors
from zen_agents.actions.base import ActionPolicy
from zen_agents.agents.base import AgentContext
from zen_agents.cli.exit_codes import EXIT_CODES
from zen_agents.cli.main import COMMANDS, GROUPS
from zen_agents.cli.parsing import add_common
from zen_agents.engine.measurements import METRICS, MODES
from zen_agents.guards.set_by import BY_HAND, KEYS
from zen_agents.model.reason import Reason
from zen_agents.settings import environment
from zen_agents.settings.codes import CODES
from zen_agents.settings.explain import explain

SCRIPTS = Path(__file__).resolve().parent
FOLDER = SCRIPTS.parent / "docs" / "reference"
_HEAD = "<!-- Made from the code by scripts/reference. -->"


#: Title and first words of each page.
_BEGINNINGS = {
    "agents": """# Agents

An agent looks at the host through [checks](checks.md), folds what it saw into incidents by its rules, and asks for
[actions](actions.md). `zen-agents explain agent NAME` says the same in the terminal.""",
    "checks": """# Checks

A check is a read-only question. It answers OK, PROBLEM or UNKNOWN, mostly with a number. The names it observes can be used
in [rules of your own](../how-to/write-your-own-rule.md); `tcp`, `unix` and `http` are all called `probe.NAME`, with the
seconds that the answer took. `NAME` is the name in the configuration.""",
    "actions": """# Actions

An action is one bounded change to one target. It runs only if `actions.allow` names it
([what every action's entry may say](config.md#actionsallow)), all [guards](guards.md) agree, and its plan still holds at the
moment of acting.""",
    "guards": """# Guards

Every guard is asked each time, in this order; the most restrictive answer wins, and one that cannot tell says no.
`zen-agents why --not CHECK` shows the whole row with values.""",
    "reasons": """# Reasons

Every no, not yet and "tell someone" has a name, and the same word stands in `why`, `decisions`, the ledger and the log.
`zen-agents decisions --reason WORD` lists where it applied.""",
    "error_codes": """# Error codes

What `check-config`, `run` and `reload` can say about a configuration, always with the place. `zen-agents explain CODE` says
the same in the terminal. Whether a code is an error or a warning stands before it; `--strict` makes warnings errors.""",
    "commands": """# Commands

`zen-agents COMMAND --help` says the same. Without a command it is `status`, if there is anything to have one. Output for
programs: `-o json`, with a `schema` field; messages go to the error stream.""",
    "metrics": """# Metrics

What Prometheus is told where [`metrics:`](config.md#metrics) names a place
([measure it with Prometheus](../how-to/measure-it-with-prometheus.md)). Counters begin with the engine's start. A metric
keeps at most 2000 sets of labels apart; what comes after them is counted as `(other)`.""",
    "environment": """# Environment variables

A variable wins over the file; `zen-agents config show --sources` says where each value came from. A value that cannot be
used is an error (ZC601), a name that is misspelt a warning (ZC603). `ZEN_AGENTS_MODE` can only make the mode safer. True and
false are written `true/false`, `1/0`, `yes/no` or `on/off`.""",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [" | ".join(head), "|".join("---" for _ in head)]
    lines += [" | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def agents_page() -> str:
    """Return what each agent is, may and needs."""
    parts = [_BEGINNINGS["agents"]]
    for kind in catalog.AGENTS.values():
        agent = kind(kind.Settings(), AgentContext("this host"))
        rules = [(f"`{rule.name}`", rule.target, rule.severity.value, rule.summary) for rule in agent.rules()]
        parts += [
            f"## {kind.name}", kind.purpose,
            f"Its settings: [`agents.{kind.name}`](config.md#agents{kind.name}).",
            "### What it needs", bullets(kind.permissions),
            "### What it may ask for", bullets(f"[`{name}`](actions.md#{name})" for name in sorted(kind.actions)),
            "### Side effects", bullets(kind.side_effects),
            "### When it went wrong", bullets(kind.recovery),
            "### Rules that hold without anything listed",
            "Each service, path, log, cache and temporary directory that is listed adds rules of its own; each "
            "real disk has the three disk rules.",
            table(("Rule", "Target", "Severity", "Says"), rules),
        ]  # fmt: skip
    return "\n\n".join(parts)


def checks_page() -> str:
    """Return what can be looked at, and how the answers are called."""
    parts = [_BEGINNINGS["checks"]]
    for kind in catalog.CHECKS.values():
        module = inspect.getdoc(inspect.getmodule(kind)) or ""
        parts += [f"## {kind.kind}", kind.summary, _prose(inspect.getdoc(kind) or ""), _prose(module)]
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    """Return docstring prose; what is indented becomes a block."""
    blocks = []
    for block in text.split("\n\n"):
        if block.startswith(("    ", "Args:", "Raises:", "Returns:")):
            blocks.append("```text\n" + textwrap.dedent(block) + "\n```" if block.startswith("    ") else "")
        else:
            blocks.append(" ".join(block.split()))
    return "\n\n".join(block for block in blocks if block)


def actions_page() -> str:
    """Return what can be done, and how it is bounded."""
    parts = [_BEGINNINGS["actions"]]
    for kind in catalog.ACTIONS.values():
        scope = [(f"`{name}`", field.description or "") for name, field in kind.Policy.model_fields.items()
                 if name not in ActionPolicy.model_fields]  # fmt: skip
        parameters = [(f"`{name}`", field.description or "") for name, field in kind.Params.model_fields.items()]
        parts += [
            f"## {kind.name}", kind.summary, _about(kind),
            table(("Fact", ""), [
                ("risk", kind.risk.value), ("reversible", kind.reversible.value), ("budget", kind.budget.value),
                ("side effects", kind.side_effects),
            ]),
            "Parameters, filled from the configuration:", table(("Parameter", "Meaning"), parameters),
        ]  # fmt: skip
        if scope:
            parts += [f"Scope, under `actions.allow.{kind.name}`:", table(("Key", "Meaning"), scope)]
    parts += [
        "## Inverses",
        "What `zen-agents undo` runs, by hand alone. No list allows one: it may run where its action may.",
        table(("Inverse", ""), [(f"`{kind.name}`", kind.summary) for kind in catalog.INVERSES.values()]),
    ]
    return "\n\n".join(part for part in parts if part)


def _about(kind: type[Any]) -> str:
    """Return the prose of an action's module behind its first line, which says what the summary says."""
    return _prose((inspect.getdoc(inspect.getmodule(kind)) or "").partition("\n\n")[2])


def guards_page() -> str:
    """Return every reason to refuse, in the order of asking."""
    parts = [_BEGINNINGS["guards"]]
    rows = [(str(number), f"[`{guard.name}`](#{guard.name})", guard.why) for number, guard in enumerate(catalog.GUARDS, 1)]
    parts.append(table(("#", "Guard", "Because"), rows))
    for guard in catalog.GUARDS:
        parts += [
            f"## {guard.name}",
            f"{guard.why}",
            _prose(inspect.getdoc(guard) or ""),
            f"By hand: {_by_hand(guard)}.",
            _set_by(guard),
        ]
    return "\n\n".join(parts)


def _set_by(guard: Any) -> str:
    keys = " and ".join(f"[`{key}`](config.md)" for key in KEYS[guard.name])
    return f"What it goes by is set by {keys}." if keys else f"No key sets it: {BY_HAND[guard.name]}."


def _by_hand(guard: Any) -> str:
    if guard.overridable:
        return f"a person passes it with `zen-agents act ... --override {guard.name} --reason TEXT`"
    return "it refuses people as well" if guard.binds_people else "it binds the engine only; `act` with a reason passes it"


def reasons_page() -> str:
    """Return every named cause."""
    rows = [(f"`{reason.value}`", reason.sentence) for reason in Reason]
    return "\n\n".join([_BEGINNINGS["reasons"], table(("Word", "Meaning"), rows)])


def exit_codes_page() -> str:
    """Return every code, the errors that end with it, and what the commands say of theirs."""
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.ZenError)]
    unknown = {kind.exit_code for kind in kinds} - set(EXIT_CODES)
    if unknown:
        raise SystemExit(f"exit codes without a meaning on the page: {sorted(unknown)}")
    rows = []
    for code, meaning in EXIT_CODES.items():
        says = [(inspect.getdoc(kind) or "").split("\n", 1)[0] for kind in kinds if kind.exit_code == code]
        rows.append((str(code), meaning, "; ".join(dict.fromkeys(says)) if code > 1 else ""))
    by_command = [(f"`{name}`", line) for name in COMMANDS for line in [_exit_line(name)] if line]
    return "\n\n".join([
        "# Exit codes", table(("Code", "Meaning", "What is printed, unless something more exact is known"), rows),
        "What single commands make of them:", table(("Command", "Exit"), by_command),
        "The scripts:", table(("Script", "Exit"), [(f"`{name}`", _script_exit(name)) for name in ("stop-agents.sh",)]),
    ])  # fmt: skip


def _script_exit(name: str) -> str:
    """Return what a script's first comment says behind `Exit:`."""
    comment = (SCRIPTS / name).read_text("utf-8").split("\nset -u", 1)[0]
    return comment.partition("# Exit:")[2].replace("\n#", " ").strip()


def _exit_line(name: str) -> str:
    paragraph = (inspect.getdoc(_module(name)) or "").partition("Exit:")[2].partition("\n\n")[0]
    return " ".join(paragraph.split())


def error_codes_page() -> str:
    """Return a part for every code that the configuration can report."""
    parts = [_BEGINNINGS["error_codes"]]
    for code, entry in CODES.items():
        parts += [
            f"## {code}",
            f"**{entry.what}** {entry.why}",
            f"What to do: {entry.fix}",
            f"```text\n{entry.example}\n```",
        ]
    return "\n\n".join(parts)


def commands_page() -> str:
    """Return every command with all its arguments."""
    parts = [_BEGINNINGS["commands"]]
    for group in GROUPS:
        rows = [(f"[`{name}`](#{name})", entry.summary) for name, entry in COMMANDS.items() if entry.group == group]
        parts += [f"**{group}**", table(("Command", ""), rows)]
    parts += ["## Flags that every command knows", _arguments(add_common)]
    for name in COMMANDS:
        text = inspect.getdoc(_module(name)) or ""
        parts += [f"## {name}", "```text\n" + text + "\n```", _arguments(_module(name).add_arguments)]
    return "\n\n".join(part for part in parts if part)


def _module(name: str) -> Any:
    return importlib.import_module(f"zen_agents.cli.{COMMANDS[name].module}")


def _arguments(add: Callable[[argparse.ArgumentParser], None]) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    add(parser)
    rows = []
    for action in parser._actions:
        words = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        takes = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
        choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
        rows.append((f"`{words}{takes}`", f"{action.help or ''}{choices}"))
    return table(("Argument", "Meaning"), rows) if rows else ""


_OTHER_VARIABLES = {
    "ZEN_AGENTS_CONFIG": "The configuration file, as with `-c`.",
    "ZEN_AGENTS_STATE_DIR": "The state directory, as with `--state-dir`.",
    "PAGERDUTY_ROUTING_KEY": "PagerDuty's routing key itself; a file (`PAGERDUTY_ROUTING_KEY_FILE`) is better.",
    "SMTP_URL": "The mail server, `smtp://USER:PASSWORD@HOST:PORT`; a file (`SMTP_URL_FILE`) is better.",
    "NO_COLOR": "No colour, as with `--no-color`.",
}


def environment_page() -> str:
    """Return every variable that is read."""
    missing = set(environment._ELSEWHERE) ^ set(_OTHER_VARIABLES)
    if missing:
        raise SystemExit(f"variables without a meaning on the page: {sorted(missing)}")
    rows = []
    for name, path in environment.variables().items():
        rows.append((f"`{name}`", f"`{path}`", explain(path).description))
    others = [(f"`{name}`", text) for name, text in _OTHER_VARIABLES.items()]
    parts = [_BEGINNINGS["environment"], table(("Variable", "Sets", "Meaning"), rows), "## Others"]
    return "\n\n".join([*parts, table(("Variable", "Meaning"), others)])


def metrics_page() -> str:
    """Return every metric with its labels."""
    rows = [
        (f"`zen_agents_{name}`", kind, ", ".join(f"`{label}`" for label in labels) or "-", meaning)
        for name, (kind, labels, meaning) in METRICS.items()
    ]
    held = f"`mode` is one of {', '.join(f'`{mode}`' for mode in MODES)}."
    return "\n\n".join([_BEGINNINGS["metrics"], table(("Metric", "Kind", "Labels", "Meaning"), rows), held])


PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page, "agents.md": agents_page, "checks.md": checks_page, "actions.md": actions_page,
    "guards.md": guards_page, "reasons.md": reasons_page, "exit-codes.md": exit_codes_page,
    "error-codes.md": error_codes_page, "commands.md": commands_page, "environment.md": environment_page,
    "metrics.md": metrics_page,
}  # fmt: skip


def render(name: str) -> str:
    """Return one page as it is to be."""
    return f"{_HEAD}\n\n{PAGES[name]().strip()}\n"


def main() -> int:
    """Write the pages, or tell which are stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != render(name)]
    for name in stale:
        print(f"{'stale' if check else 'wrote'} docs/reference/{name}")
        if not check:
            (FOLDER / name).write_text(render(name), "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
