"""Packs: what is known about common services, laid below the host's own file by `extends: [pack:NAME]`.

A pack says what is looked at and what would help. What may be done is the host's to say, so a pack holds agents alone, and
its ladders keep only those steps that the host's allow-list has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import zen_agents
from zen_agents.dataclass import dataclass
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.ladders import LADDER_KEYS
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Document, Entry, Node, Origin, Place, dotted, merge
from zen_agents.settings.reader import MAX_BYTES, read
from zen_agents.settings.trust import distrust

_PREFIX = "pack:"
#: How deep they are: `agents.AGENT.SECTION`, and `.NAME` below it.
_SECTION, _ENTRY = 3, 4


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack that was installed with the program."""

    name: str
    path: Path
    #: What it is for.
    about: str
    #: Key below its agent -> what it means; what hosts differ in.
    parameters: Mapping[str, str]
    #: What stands in the pack.
    tree: Node

    @property
    def watched(self) -> Iterator[str]:
        """The entries that it brings, like `services.nginx`, and sections of one thing, like `journal`."""
        for agent in self._agents():
            for section, entry in agent.value.items():
                names = entry.node.value if _of_entries(entry.node) else ()
                yield from (f"{section}.{name}" for name in names) if names else (section,)

    @property
    def units(self) -> frozenset[str]:
        """The systemd units that it takes its services to have."""
        services = self.tree.get("agents", "system_health", "services")
        named = [entry.node.get("unit") for entry in services.value.values()] if services is not None else []
        return frozenset(unit.text for unit in named if unit is not None)

    def value(self, key: str) -> str:
        """Return what it says at a key below its agent, "" if nothing."""
        nodes = (agent.get(*key.split(".")) for agent in self._agents())
        return next((node.text for node in nodes if node is not None), "")

    def _agents(self) -> Iterator[Node]:
        agents = self.tree.get("agents")
        for entry in agents.value.values() if agents is not None and agents.is_map else ():
            if entry.node.is_map:
                yield entry.node


def installed() -> dict[str, Path]:
    """Return the files of the packs that came with the program, by name."""
    package = Path(zen_agents.__file__).parent
    folder = package / "packs"
    if not folder.is_dir():
        folder = package.parent / "config" / "packs"  # a checkout
    return _files(folder)


def beside(main: str) -> dict[str, Path]:
    """Return the files of the host's own packs, which lie in `packs` beside its main file, by name."""
    return {} if main == "-" else _files(Path(main).parent / "packs")


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.yaml")) if "." not in path.stem}


def describe(name: str) -> Pack:
    """Return an installed pack; KeyError if there is none of this name."""
    path = installed()[name]
    tree = _read(name, path, os.geteuid(), Report())
    about, parameters = tree.get("x-pack", "about"), tree.get("x-pack", "parameters")
    named = parameters.value if parameters is not None and parameters.is_map else {}
    meanings = {key: entry.node.text for key, entry in named.items()}
    return Pack(name, path, about.text if about is not None else "", meanings, tree)


def extend(root: Node, main: str, euid: int, report: Report) -> Node:
    """Return the tree with the packs that it extends below it: what the host says wins, maps merge, lists replace.

    A pack is one that came with the program, or one of the host's own, beside its main file.
    """
    below: Node | None = None
    for item in _named(root, report):
        path = _path(item, main, report)
        tree = _pack(item.value.removeprefix(_PREFIX), path, euid, report) if path is not None else None
        below = tree if below is None else below if tree is None else _together(below, tree, report)
    if below is None:
        return root
    whole = Node(root.place, merge(below, root).root.value)
    return _only_allowed(_left_out(whole), root, report)


def _together(below: Node, above: Node, report: Report) -> Node:
    merged = merge(below, above)
    for path, weaker, stronger in merged.overlaps:
        message = f"`{dotted(path)}` is set in two packs; this one wins"
        report.warning("ZC104", message, stronger, note=f"first set at {weaker.place}")
    return merged.root


def _named(root: Node, report: Report) -> Iterator[Node]:
    node = root.get("extends")
    if node is None:
        return
    if node.place.document.origin is not Origin.FILE:
        report.error("ZC408", "packs are named in the host's own file, not in a drop-in", node)
        return
    known: set[str] = set()
    for item in node.value if node.is_list else [node]:
        if isinstance(item.value, str) and item.value not in known:
            known.add(item.value)
            yield item


def _path(item: Node, main: str, report: Report) -> Path | None:
    """Return the file of the pack that is named, None if there is none, or two; that is reported at its name."""
    shipped, own = installed(), beside(main)
    known = own | shipped
    name = item.value.removeprefix(_PREFIX)
    if not item.value.startswith(_PREFIX) or name not in known:
        suggest = nearest(item.value, [f"{_PREFIX}{each}" for each in known])
        message = f"`extends` names `{item.value}`, which is no pack: one of {', '.join(_PREFIX + each for each in known)}"
        report.error("ZC303", message, item, label=did_you_mean(suggest), replacement=suggest)
        return None
    if name in shipped and name in own:
        report.error("ZC408", f"`{item.value}` comes with the program; {own[name]} needs another name", item)
        return None
    return known[name]


def _pack(name: str, path: Path, euid: int, report: Report) -> Node:
    """Return the agents of a pack; what else stands in it is reported at its place."""
    tree = _read(name, path, euid, report)
    agents = {}
    for key, entry in tree.value.items():
        if key == "agents":
            agents[key] = entry
        elif not key.startswith("x-"):
            report.error("ZC408", f"a pack holds `agents` alone; `{key}` is the host's to say", entry.place)
    return Node(tree.place, agents)


def _read(name: str, path: Path, euid: int, report: Report) -> Node:
    label = f"{_PREFIX}{name}"
    document = Document(label, Origin.PACK)
    if why := distrust(str(path), euid):
        report.error("ZC403", f"is not trusted: {why}", document, help="chown root and chmod go-w what is named")
        return Node(Place(document), {})
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        report.error("ZC006", f"cannot be read: {path}: {error.strerror}", document)
        return Node(Place(document), {})
    return read(content, label, report, origin=Origin.PACK)


def _left_out(node: Node, depth: int = 1) -> Node:
    """Return the tree without what the host's file gives as nothing: entries (`nginx: null`), and sections of one thing.

    An agent, or a section of entries, with nothing below it says nothing, so what the pack has there stays.
    """
    if not node.is_map or depth > _ENTRY:
        return node
    entries = {}
    for key, entry in node.value.items():
        packed = entry.node.shadowed
        if entry.node.value is not None or packed is None or packed.place.document.origin is not Origin.PACK:
            entries[key] = Entry(entry.place, _left_out(entry.node, depth + 1))
        elif depth < _SECTION or (depth == _SECTION and _of_entries(packed)):
            entries[key] = Entry(entry.place, packed)
    return Node(node.place, entries, node.text, node.quoted, node.shadowed)


def _of_entries(section: Node) -> bool:
    return bool(section.value) and section.is_map and all(entry.node.is_map for entry in section.value.values())


def _only_allowed(tree: Node, host: Node, report: Report) -> Node:
    """Return the tree with the ladders of packs cut to what the host's own allow-list names, if it has one."""
    actions = host.entry_at("actions")
    if actions is None or actions.node.value is None:
        return tree
    allow = host.get("actions", "allow")
    return _cut(tree, allow.value if allow is not None and allow.is_map else {}, actions.place, report)


def _cut(node: Node, allowed: Mapping[str, Entry], at: Place, report: Report) -> Node:
    if not node.is_map:
        return node
    entries = {}
    for key, entry in node.value.items():
        below = entry.node
        if key in LADDER_KEYS and below.is_list and below.place.document.origin is Origin.PACK:
            kept = [step for step in below.value if _allows(step, allowed, at, report)]
            below = Node(below.place, kept, below.text, below.quoted, below.shadowed)
        else:
            below = _cut(below, allowed, at, report)
        entries[key] = Entry(entry.place, below)
    return Node(node.place, entries, node.text, node.quoted, node.shadowed)


def _allows(step: Node, allowed: Mapping[str, Entry], at: Place, report: Report) -> bool:
    action = str(step.value).partition(":")[0]
    if action in allowed:
        return True
    message = f"`{action}` is left out of this ladder: `actions.allow` does not name it, and a pack never widens that"
    report.warning("ZC112", message, step, note=f"the allow-list is at {at}",
                   help="name it in actions.allow, or write the ladder in your own file")  # fmt: skip
    return False
