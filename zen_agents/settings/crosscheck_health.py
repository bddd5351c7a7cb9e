"""What the keys of `agents.system_health` say together. Told one by one, with its place, also where another key is wrong."""

from __future__ import annotations

import os
from datetime import timedelta
from fnmatch import fnmatchcase

from pydantic_core import PydanticCustomError

from zen_agents.guards import protected_names
from zen_agents.model.quantities import format_duration, parse_duration, parse_threshold
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Entry, Node
from zen_agents.settings.trust import distrust

_HOLDS = {"cpu": timedelta(minutes=5), "memory": timedelta(minutes=3)}
_SAMPLE_INTERVAL = timedelta(seconds=15)
#: Sections with paths that actions change, and the keys of their entries that hold them.
_CHANGED = (
    *((key, ("path",)) for key in ("paths", "temp_dirs", "logs", "caches", "mounts")),
    ("jobs", ("lock",)),
    ("log_archives", ("paths",)),
    ("certificates", ("file", "key")),
)


def check_health(root: Node, report: Report) -> None:
    """Report thresholds, dependencies and paths that cannot be meant."""
    section = root.get("agents", "system_health")
    if section is None or not section.is_map:
        return
    for name in ("cpu", "memory"):
        _check_clear(section.entry(f"{name}_threshold"), section.get("thresholds", name, "clear"), report)
        _check_samples(name, section, report)
    disks = section.get("thresholds", "disk")
    for disk in disks.value if disks and disks.is_list else ():
        _check_clear(disk.entry("above"), disk.get("clear"), report)
    _check_dependencies(section.get("services"), report)
    _check_protected(section, report)
    _check_modes(section.get("paths"), report)
    _check_plugins(section.get("scripts"), report)
    _check_plugins(section.get("pools"), report, "plugin")
    if section.get("baselines") is not None or section.get("sysctls") is not None:
        from zen_agents.settings.crosscheck_drift import check_drift  # noqa: PLC0415 - only for a file that has some

        check_drift(root, section, report)


def _check_clear(threshold: Entry | None, clear: Node | None, report: Report) -> None:
    limit, value = _percent(threshold.node if threshold else None), _percent(clear)
    if clear is None or threshold is None or limit is None or value is None or value < limit:
        return
    message = f"`clear: {value:g}` is not below the threshold {limit:g}, so the alert could never clear"
    report.drop("ZC206", at=clear)
    report.error("ZC206", message, clear, note=f"threshold is set at {threshold.place}")


def _check_samples(name: str, section: Node, report: Report) -> None:
    held, sampled = section.get("thresholds", name, "for"), section.get("sample_interval")
    if held is None and sampled is None:
        return
    hold = _duration(held, _HOLDS[name])
    every = _duration(sampled, _SAMPLE_INTERVAL)
    if hold is None or every is None or hold > every or not hold:
        return
    message = f"`{name}.for: {format_duration(hold)}` with `sample_interval: {format_duration(every)}` rests on one sample"
    report.warning("ZC502", message, held or sampled or section)


def _check_dependencies(services: Node | None, report: Report) -> None:
    if services is None or not services.is_map:
        return
    needs: dict[str, dict[str, Node]] = {}
    for name, entry in services.value.items():
        listed = entry.node.get("depends_on")
        needs[name] = {item.text: item for item in (listed.value if listed and listed.is_list else ())}
    for others in needs.values():
        for other, node in others.items():
            if other not in needs:
                suggest = nearest(other, needs)
                message = f"`depends_on` names the service `{other}`, which is not listed"
                report.drop("ZC303", at=node)
                report.error("ZC303", message, node, label=did_you_mean(suggest), replacement=suggest)
    if circle := _circle(needs):
        first = needs[circle[0]][circle[1] if len(circle) > 1 else circle[0]]
        report.drop("ZC304", words="depend on each other")  # the section's own model tells it without its place
        report.error("ZC304", f"services depend on each other in a circle: {' -> '.join([*circle, circle[0]])}", first)


def _circle(needs: dict[str, dict[str, Node]]) -> list[str]:
    """Return one circle, in the order of its links; empty if there is none."""
    settled: set[str] = set()
    for start, first in needs.items():
        line: list[str] = []
        stack = [(start, iter(first))] if start not in settled else []
        while stack:
            name, others = stack[-1]
            if len(line) < len(stack):
                line.append(name)
            other = next((each for each in others if each in needs and each not in settled), None)
            if other is None:
                settled.add(name)
                stack.pop()
                line.pop()
            elif other in line:
                return line[line.index(other) :]
            else:
                stack.append((other, iter(needs[other])))
    return []


def _check_protected(section: Node, report: Report) -> None:
    for key, names in _CHANGED:
        entries = section.get(key)
        for entry in entries.value.values() if entries and entries.is_map else ():
            for node in filter(None, (entry.node.get(name) for name in names)):
                for path in node.value if node.is_list else (node,):
                    if isinstance(path.value, str) and is_protected(path.value):
                        report.error("ZC405", f"{path.value} is protected: it is never touched", path)


def _check_modes(paths: Node | None, report: Report) -> None:
    """Warn of listed modes that widen access for everybody, or for whoever runs the file (R27)."""
    for entry in paths.value.values() if paths and paths.is_map else ():
        mode, kind = entry.node.get("mode"), entry.node.get("kind")
        if mode is not None and (wide := _wide(mode.text, is_directory=kind is not None and kind.text == "directory")):
            report.warning("ZC505", f"`mode: {mode.text}` {wide}; is that meant?", mode)


def _check_plugins(entries: Node | None, report: Report, *within: str) -> None:
    """Refuse programs that others could have written (R21): whoever runs them believes what they say."""
    for entry in entries.value.values() if entries and entries.is_map else ():
        command = entry.node.get(*within, "command")
        program = command.value[0] if command is not None and command.is_list and command.value else None
        if program is not None and isinstance(program.value, str) and (why := distrust(program.value, os.geteuid())):
            report.error("ZC407", f"the plugin is not run: {why}", program)


def _wide(mode: str, *, is_directory: bool) -> str:
    """Return what is dangerous about a mode, "" if nothing is."""
    try:
        bits = int(mode, 8)
    except ValueError:  # told where the value is validated
        return ""
    if bits & 0o4000:
        return "gives setuid"
    if bits & 0o2000 and not is_directory:
        return "gives setgid"
    # A sticky directory, like /tmp, is for everybody to write in.
    return "lets anyone write" if bits & 0o002 and not (is_directory and bits & 0o1000) else ""


def is_protected(path: str) -> bool:
    """Tell whether a path is of the protected set as shipped (R11)."""
    path = path.rstrip("/") or "/"
    if any(path == tree or path.startswith(f"{tree}/") for tree in protected_names.TREES):
        return True
    return any(fnmatchcase(path, each) and path.count("/") == each.count("/") for each in protected_names.PATHS)


def _percent(node: Node | None) -> float | None:
    try:
        return parse_threshold(node.value) if node else None
    except PydanticCustomError:  # told where the value is validated
        return None


def _duration(node: Node | None, default: timedelta) -> timedelta | None:
    try:
        return parse_duration(node.value) if node else default
    except PydanticCustomError:  # told where the value is validated
        return None
