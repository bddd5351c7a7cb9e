r"""A pattern as a tree over bytes, and what can be told of it. Every engine is given what is written from such a tree.

Engines differ in what `\s`, `.`, a flag or a letter outside ASCII means; written as sets of bytes they cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OneOf:
    """One byte out of some."""

    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class Anchor:
    r"""A place between bytes: `^`, `$`, `\\b` or `\\B`."""

    written: str


@dataclass(frozen=True, slots=True)
class Sequel:
    """One part after the other; without parts it is the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One part of several, the earlier the better."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part again and again; `most` None: without end."""

    part: Node
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A part whose text is asked for."""

    name: str
    part: Node


Node = OneOf | Anchor | Sequel | Choice | Repeat | Named

EMPTY: Final = Sequel(())

#: Bytes that mean themselves outside of sets with every engine; written so, patterns are compiled in less time.
_PLAIN: Final = frozenset(b" !\"%',/:;<=>@_`~")
#: A literal of fewer bytes is in too many lines to be a clue.
_TELLING: Final = 6

#: Anchors at one place hold in any order; engines want the line's beginning first and its end last.
_ANCHOR_ORDER: Final = ("^", r"\b", r"\B", "$")


def in_sequel(parts: Iterable[Node]) -> Node:
    """Return parts one after the other, with the anchors of one place each once and in order."""
    found: list[Node] = []
    for are_anchors, run in groupby(parts, lambda part: isinstance(part, Anchor)):
        here = tuple(run)
        found += [Anchor(text) for text in _ANCHOR_ORDER if Anchor(text) in here] if are_anchors else here
    return found[0] if len(found) == 1 else Sequel(tuple(found))


def least_width(node: Node) -> int:
    """Return how many bytes a match takes at least."""
    match node:
        case OneOf():
            return 1
        case Anchor():
            return 0
        case Sequel(parts):
            return sum(map(least_width, parts))
        case Choice(parts):
            return min(map(least_width, parts))
        case Repeat(part, least):
            return least * least_width(part)
        case Named(_, part):
            return least_width(part)


def size(node: Node) -> int:
    """Return how many states an automaton of it has, roughly: counted repetitions are written out."""
    match node:
        case OneOf() | Anchor():
            return 1
        case Sequel(parts) | Choice(parts):
            return 1 + sum(map(size, parts))
        case Repeat(part, least, most):
            return max(least, most or 1, 1) * size(part)
        case Named(_, part):
            return size(part)


def takes_nothing(node: Node) -> bool:
    """Tell whether a match is never longer than nothing: anchors alone."""
    match node:
        case OneOf():
            return False
        case Anchor():
            return True
        case Sequel(parts) | Choice(parts):
            return all(map(takes_nothing, parts))
        case Repeat(part) | Named(_, part):
            return takes_nothing(part)


def misplaced(node: Node, *, before: bool = False, after: bool = False) -> str:
    """Return `^` if one stands behind what may take bytes, `$` if one stands before such, "" if neither.

    No line has them there. `before` and `after` say whether there is something that may take bytes around the node.
    """
    match node:
        case Anchor(text):
            return text if {"^": before, "$": after}.get(text) else ""
        case Sequel(parts):
            takes = [not takes_nothing(part) for part in parts]
            around = ((part, before or any(takes[:at]), after or any(takes[at + 1 :])) for at, part in enumerate(parts))
            return next(filter(None, (misplaced(part, before=left, after=right) for part, left, right in around)), "")
        case Choice(parts):
            return next(filter(None, (misplaced(part, before=before, after=after) for part in parts)), "")
        case Repeat(part, _, most):
            return misplaced(part, before=before or most != 1, after=after or most != 1)
        case Named(_, part):
            return misplaced(part, before=before, after=after)
        case _:
            return ""


def written(node: Node, *, fields: bool) -> str:
    """Return the pattern in ASCII and in what all engines have in common; `fields`: with its groups, and who is lazy."""
    match node:
        case OneOf(values):
            return _set_text(values)
        case Anchor(text):
            return text
        case Sequel(parts):
            return "".join(_beside(part, fields) for part in parts)
        case Choice(parts):
            return "|".join(written(part, fields=fields) for part in parts)
        case Repeat(part, least, most, lazy):
            return f"{_as_one(part, fields)}{_count_text(least, most)}{'?' if lazy and fields else ''}"
        case Named(_, part):
            return f"({'' if fields else '?:'}{written(part, fields=fields)})"


def trimmed(node: Node) -> Node:
    """Return what is in a line exactly when `node` is, without what its ends may repeat: it ends and begins sooner."""
    return _trimmed(_trimmed(node, -1), 0)


def literal(node: Node) -> bytes:
    """Return the longest run of bytes that every match has; empty if there is none."""
    return _literal(tuple(_flat(node)))[1]


def clue(node: Node) -> Node:
    r"""Return what is wherever `node` is, but begins with its literal, where what is before that may be of any length.

    An engine that looks for literals would else have to look at all that may lead to it: at every line with `sshd[` for
    `sshd\[\d+\]: Failed password`. Its last anchor is left out: what was cut has to be looked for in the line anyway, and
    hundreds of clues that are literals alone are compiled in a tenth of the time.
    """
    parts = tuple(_flat(node))
    at, text = _literal(parts)
    if len(text) < _TELLING or not any(map(_is_endless, parts[:at])):
        return node
    end = next(end for end in range(len(parts), at, -1) if not isinstance(parts[end - 1], Anchor))
    return in_sequel(parts[at:end])


def _literal(parts: Sequence[Node]) -> tuple[int, bytes]:
    """Return where the longest run of bytes begins among these parts, and the run."""
    run, longest, at = b"", b"", 0
    for number, part in enumerate(parts, start=1):
        run = run + bytes(part.values) if isinstance(part, OneOf) and len(part.values) == 1 else b""
        if len(run) > len(longest):
            longest, at = run, number - len(run)
    return at, longest


def _is_endless(node: Node) -> bool:
    match node:
        case Sequel(parts) | Choice(parts):
            return any(map(_is_endless, parts))
        case Repeat(part, _, most):
            return most is None or _is_endless(part)
        case Named(_, part):
            return _is_endless(part)
        case _:
            return False


def _flat(node: Node) -> Iterable[Node]:
    match node:
        case Sequel(parts):
            for part in parts:
                yield from _flat(part)
        case Named(_, part):
            yield from _flat(part)
        case Repeat(part, 1, 1):
            yield from _flat(part)
        case _:
            yield node


def _trimmed(node: Node, at: int) -> Node:
    match node:
        case Sequel(parts) if parts:
            edge = _trimmed(parts[at], at)
            rest = parts[:-1] if at else parts[1:]
            if edge == EMPTY:
                return _trimmed(Sequel(rest), at)
            return Sequel((*rest, edge) if at else (edge, *rest))
        case Choice(parts):
            return Choice(tuple(_trimmed(part, at) for part in parts))
        case Repeat(part, least) if least != 1:
            return Repeat(part, least, least) if least else EMPTY
        case Repeat(part) | Named(_, part):
            return _trimmed(part, at)
        case _:
            return node


def _beside(node: Node, fields: bool) -> str:
    return _as_one(node, fields) if isinstance(node, Choice) else written(node, fields=fields)


def _as_one(node: Node, fields: bool) -> str:
    text = written(node, fields=fields)
    return text if isinstance(node, (OneOf, Named)) else f"(?:{text})"


def _count_text(least: int, most: int | None) -> str:
    if most is None:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    return "?" if (least, most) == (0, 1) else f"{{{least},{most}}}" if least != most else f"{{{least}}}"


@lru_cache(maxsize=256)  # letters, digits, blanks: of hundreds of patterns most is written of these
def _set_text(values: frozenset[int]) -> str:
    if len(values) == 1:
        (value,) = values
        return chr(value) if value in _PLAIN else _byte_text(value)
    ranges = [f"{_byte_text(low)}-{_byte_text(high)}" if low != high else _byte_text(low) for low, high in _ranges(values)]
    return f"[{''.join(ranges)}]"


def _ranges(values: frozenset[int]) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for value in sorted(values):
        if found and found[-1][1] == value - 1:
            found[-1] = (found[-1][0], value)
        else:
            found.append((value, value))
    return found


def _byte_text(value: int) -> str:
    text = chr(value)
    return text if text.isascii() and text.isalnum() else f"\\x{value:02x}"
