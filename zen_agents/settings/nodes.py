"""What was written, with its place: the tree between YAML and typed settings.

Nodes of several files merge into one tree, and each keeps the file, line and column it came from, also when an
environment variable or a flag put it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any

from zen_agents.dataclass import dataclass

Path = tuple[str | int, ...]


class Origin(StrEnum):
    """What kind of place a value came from, weakest first."""

    DEFAULT = "default"
    PACK = "pack"
    FILE = "file"
    DROP_IN = "conf.d"
    ENVIRONMENT = "env"
    FLAG = "flag"

    @property
    def rank(self) -> int:
        """Position from 0 (default) to 5 (flag); the higher one wins."""
        return list(Origin).index(self)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file, or one variable, that values come from; equal only to itself."""

    #: As shown to people: `config.yaml`, `env ALERT_EMAIL`, `flag --mode`.
    name: str
    origin: Origin = Origin.FILE
    #: Its lines without line ends; empty for what is no file.
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line; lines and columns count from 1. Line 0: the document as a whole."""

    document: Document
    line: int = 0
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        """Return `config.yaml:5:3`, or the document's name alone."""
        return f"{self.document.name}:{self.line}:{self.column}" if self.line else self.document.name

    @property
    def short(self) -> str:
        """`config.yaml:5`, or the document's name alone."""
        return f"{self.document.name}:{self.line}" if self.line else self.document.name

    @property
    def excerpt(self) -> str:
        """The line it stands on, "" if there is none."""
        return self.document.lines[self.line - 1] if 0 < self.line <= len(self.document.lines) else ""

    def within(self, offset: int, length: int = 1) -> Place:
        """Return the place `offset` characters further on, as far as this one reaches."""
        offset = min(max(offset, 0), max(self.length - 1, 0))
        return Place(self.document, self.line, self.column + offset, max(1, min(length, self.length - offset)))


@dataclass(slots=True)
class Node:
    """One value: a scalar, a list of nodes, or a map of entries by key."""

    place: Place
    value: Any
    #: A scalar as it was written, without quotes.
    text: str = ""
    #: True if it stood in quotes or was a block of text.
    quoted: bool = False
    #: What it took the place of: the same leaf in a weaker document.
    shadowed: Node | None = None

    @property
    def is_map(self) -> bool:
        """True for a map; its `value` is `dict[str, Entry]`."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """True for a list; its `value` is `list[Node]`."""
        return isinstance(self.value, list)

    def get(self, *path: str | int) -> Node | None:
        """Return the node at a path below this one, None if nothing was written there."""
        node: Node | None = self
        for step in path:
            node = node._step(step) if node is not None else None
        return node

    def entry(self, key: str | int) -> Entry | None:
        """Return a key with its value, None if this is no map or has no such key."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def entry_at(self, *path: str) -> Entry | None:
        """Return the last key of a path with its value, None if it was not written."""
        node = self.get(*path[:-1])
        return node.entry(path[-1]) if node else None

    def _step(self, step: str | int) -> Node | None:
        if isinstance(self.value, dict):
            entry = self.value.get(str(step))
            return entry.node if entry else None
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]  # type: ignore[no-any-return]
        return None

    def nearest(self, path: Path) -> tuple[Node, Entry | None, Path]:
        """Return the deepest node on a path, the entry it belongs to, and the part of the path that led there.

        Steps that name nothing in the tree are left out: pydantic puts names of a union's members among them.
        """
        node, entry, reached = self, None, []
        for step in path:
            below = node._step(step)
            if below is None:
                continue
            entry, node = node.entry(str(step)) if node.is_map else None, below
            reached.append(step)
        return node, entry, tuple(reached)

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Yield every scalar and every list of scalars with its path, leaving out `x-` keys."""
        if isinstance(self.value, dict):
            for key, entry in self.value.items():
                if not key.startswith("x-"):
                    yield from entry.node.leaves((*path, key))
        elif isinstance(self.value, list) and any(item.is_map or item.is_list for item in self.value):
            for index, item in enumerate(self.value):
                yield from item.leaves((*path, index))
        else:
            yield path, self

    def plain(self) -> Any:
        """Return plain Python values, leaving out `x-` keys."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items() if not key.startswith("x-")}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


@dataclass(slots=True)
class Entry:
    """A key of a map, with the place of the key itself."""

    place: Place
    node: Node


@dataclass(slots=True)
class Merge:
    """What came of laying one tree over another."""

    root: Node
    #: Leaves that both had, as (path, the weaker, the stronger).
    overlaps: list[tuple[Path, Node, Node]] = field(default_factory=list)


def merge(below: Node, above: Node) -> Merge:
    """Lay `above` over `below`: maps merge, lists and scalars replace. Neither tree is changed."""
    result = Merge(below)
    result.root = _merge(below, above, (), result.overlaps)
    return result


def _merge(below: Node, above: Node, path: Path, overlaps: list[tuple[Path, Node, Node]]) -> Node:
    if not (below.is_map and above.is_map):
        overlaps.append((path, below, above))
        return Node(above.place, above.value, above.text, above.quoted, shadowed=below)
    entries = dict(below.value)
    for key, entry in above.value.items():
        known = entries.get(key)
        entries[key] = Entry(entry.place, _merge(known.node, entry.node, (*path, key), overlaps)) if known else entry
    return Node(below.place, entries)


def put(root: Node, path: Sequence[str], value: Any, document: Document) -> Node:
    """Return the tree with one value laid over it, as an environment variable or a flag does."""
    place = Place(document)
    node = Node(place, [Node(place, item, str(item)) for item in value] if isinstance(value, list) else value, f"{value}")
    for key in reversed(path):
        node = Node(place, {key: Entry(place, node)})
    return merge(root, node).root


def placed(root: Node, path: Sequence[str], node: Node) -> Node:
    """Return the tree with a node at a path, everything else where it was."""
    if not path:
        return node
    known = root.entry(path[0])
    below = known.node if known is not None and known.node.is_map else Node(root.place, {})
    entry = Entry(known.place if known is not None else root.place, placed(below, path[1:], node))
    return Node(root.place, {**root.value, path[0]: entry}, root.text, root.quoted, root.shadowed)


def written(value: Any, place: Place) -> Node:
    """Return plain values as a tree, all of it at one place."""
    if isinstance(value, dict):
        return Node(place, {str(key): Entry(place, written(each, place)) for key, each in value.items()})
    if isinstance(value, list | tuple):
        return Node(place, [written(each, place) for each in value])
    return Node(place, value, str(value), isinstance(value, str))


def dotted(path: Path) -> str:
    """Return `agents.system_health.thresholds.disk[0].path` for a path."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
