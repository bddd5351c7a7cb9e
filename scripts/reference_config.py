"""The reference page of the configuration: every key, walked along the grammar that the engine itself reads by."""

from __future__ import annotations

from zen_agents import catalog
from zen_agents.actions.base import ActionPolicy
from zen_agents.settings.every_key import Defaults, Key, every_key
from zen_agents.settings.explain import Explained, explain

_BEGINNING = """# Configuration

One YAML file. Where it is looked for: [files](files.md). In the terminal: `zen-agents explain config KEY`.

How values are written: a **duration** has a unit (`30s` `5m` `2h` `7d`), a **size** too (`512KiB` `50MiB` `2GiB`); a
**percentage** is `80` under `thresholds` and `..._threshold`, and `80%` elsewhere; a **time of day** is `"22:00"`, a
**file mode** is octal in quotes (`"0640"`), a **cron expression** has five fields in quotes. `interval` alone may be a bare
number of seconds. An unknown or doubled key is an error; keys that begin with `x-` are yours. `NAME` stands for a name of
your choice, `[]` for each item of a list."""
_ACTIONS = """\
`NAME` is an action ([actions](actions.md)); an empty map `{}` allows it with these defaults. With an `actions:` section, an
action that is not listed is never done; without one, all of them are allowed on what the file lists and on nothing else.
Every action has:"""
_HEAD = "| Key | Type | Default | Meaning |\n|---|---|---|---|"


def config_page() -> str:
    """Return the page."""
    keys = list(every_key())
    parts = [_BEGINNING]
    for title, members in _sections(keys):
        parts += [f"## {title}", *_intro(title), _table(members)]
    return "\n\n".join(parts)


def _sections(keys: list[Key]) -> list[tuple[str, list[Key]]]:
    """Return the keys by section: by top-level key, the agents' by what stands below them, the actions' by action."""
    found: dict[str, list[Key]] = {}
    for key in keys:
        words = key.path.split(".")
        if key.shape.keys or words == ["agents"]:
            continue
        if words[0] == "agents":
            below = explain(".".join(words[:3]))
            title = ".".join(words[:3] if len(words) > 3 or below.type.startswith("map") else words[:2])
        elif words[:2] == ["actions", "allow"] and len(words) > 3:
            if words[3] in ActionPolicy.model_fields:
                continue
            title = "actions.allow"
        else:
            title = words[0] if len(words) > 1 else "The whole file"
        found.setdefault(title, []).append(key)
    return list(found.items())


def _intro(title: str) -> list[str]:
    if title != "actions.allow":
        return []
    one = next(iter(catalog.ACTIONS))
    rows = [_row(f"NAME.{name}", explain(f"actions.allow.{one}.{name}"), "") for name in ActionPolicy.model_fields]
    return [_ACTIONS, "\n".join([_HEAD, *rows]), "Besides, what narrows it further:"]


def _table(keys: list[Key]) -> str:
    defaults = Defaults()
    rows = []
    for key in keys:
        facts = explain(key.path)
        shown = key.shown.removeprefix("agents.system_health.").removeprefix("actions.allow.")
        rows.append(_row(shown, facts, defaults.of(key.path, facts)))
    return "\n".join([_HEAD, *rows])


def _row(shown: str, facts: Explained, default: str) -> str:
    value = "needed" if facts.needed else f"`{default or facts.default}`" if default or facts.default else ""
    meaning = facts.description + (f" (variable `{facts.environment}`)" if facts.environment else "")
    return f"| `{shown}` | {_cell(facts.type)} | {value} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
