"""Begin a check, an action, an agent or a rule of your own: code that runs, tests that pass, and what to do next.

Examples:
  zen-agents new agent disk_guard                   a package zen-disk-guard with an agent, its check and its action
  zen-agents new rule high_load --dir rules         a rule, and the days on which it is tried

Nothing that is there already is written over.
"""

from __future__ import annotations

import argparse
import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from zen_agents import catalog
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import note
from zen_agents.errors import UsageError

KINDS = ("agent", "check", "action", "rule")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LONGEST = 40
_TEMPLATES = Path(__file__).parent / "scaffolds"
_SUMMARIES = {
    "agent": "An agent for zen-agents that watches directories in which files pile up.",
    "check": "A check for zen-agents that counts the files in a directory.",
    "action": "An action for zen-agents that removes files that have been worked off.",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `new` takes."""
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name", help="what it is called: small letters, digits and _")
    parser.add_argument("--dir", metavar="DIR", default=".", help="where its folder is made (default: here)")


def run(call: Call) -> int:
    """Write the files, all or none."""
    kind, name = call.arguments.kind, call.arguments.name
    _refuse_odd(kind, name)
    folder = Path(call.arguments.dir) / (name if kind == "rule" else f"zen-{name.replace('_', '-')}")
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already; choose another name, or another --dir")
    files = _rule(name) if kind == "rule" else _package(kind, name)
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if call.machine:
        data(call, "new", {"name": name, "kind": kind, "path": str(folder), "files": list(files)})
        return 0
    print("\n".join(str(folder / file) for file in files))
    note(f"Next: cd {folder} && python -m pytest    then read README.md")
    return 0


def _refuse_odd(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no name: write small letters, digits and _, like disk_guard")
    known = {
        "agent": set(catalog.AGENTS), "check": set(catalog.CHECKS),
        "action": {*catalog.ACTIONS, *catalog.INVERSES}, "rule": set(),
    }[kind]  # fmt: skip
    if name in known:
        raise UsageError(f"there is a built-in {kind} {name!r}; choose another name")


def _package(kind: str, name: str) -> dict[str, str]:
    """Return the files of a package; an agent comes with a check and an action of its own."""
    word, module = "".join(part.title() for part in name.split("_")), f"zen_{name}"
    clean = f"clean_{name}"
    parts = {kind: (module, name, word)}
    if kind == "agent":
        parts |= {"check": (f"{module}_check", name, word), "action": (f"{module}_action", clean, f"{word}Clean")}
    files: dict[str, str] = {}
    for part, (file, called, class_name) in parts.items():
        words = {
            "name": called, "Class": class_name, "module": file, "module_check": f"{module}_check",
            "module_action": f"{module}_action", "target_kind": name if kind == "agent" else "directory",
        }  # fmt: skip
        files[f"{file}.py"] = _filled(f"{part}.py", words)
        files[f"tests/test_{file.removeprefix('zen_')}.py"] = _filled(f"test_{part}.py", words)
    modules = {part: (file, class_name) for part, (file, _, class_name) in parts.items()}
    about = {
        "dist": f"zen-{name.replace('_', '-')}", "module": module, "summary": _SUMMARIES[kind],
        "entry_points": _entry_points(name, modules), "files": ", ".join(f'"{file}.py"' for file, _ in modules.values()),
        "example": _example(kind, name, clean),
    }  # fmt: skip
    return files | {"pyproject.toml": _filled("pyproject.toml", about), "README.md": _filled("README.md", about)}


def _entry_points(name: str, modules: Mapping[str, tuple[str, str]]) -> str:
    classes = {"agent": "Agent", "check": "Check", "action": ""}
    return "".join(
        f'[project.entry-points."zen_agents.{part}s"]\n{name} = "{file}:{class_name}{classes[part]}"\n\n'
        for part, (file, class_name) in modules.items()
    )


def _example(kind: str, name: str, clean: str) -> str:
    """Return how the configuration uses it, behind the line that names the package."""
    if kind != "agent":
        return ""
    lines = (f"agents: {{{name}: {{directories: {{orders: /srv/orders}}}}}}", f"actions: {{allow: {{{clean}: {{}}}}}}")
    return "\n".join(f"    {line}" for line in lines)


def _rule(name: str) -> dict[str, str]:
    words = {"name": name}
    return {
        f"{name}.yaml": _filled("rule.yaml", words), "bad-day.yaml": _filled("bad-day.yaml", words),
        "good-day.yaml": _filled("good-day.yaml", words), f"test_{name}.py": _filled("test_rule.py", words),
        "README.md": _filled("rule-README.md", words),
    }  # fmt: skip


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(words)
