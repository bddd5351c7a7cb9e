"""What a text becomes, as the lines that change in it: a lock of a thousand packages is not copied into a plan for one."""

from __future__ import annotations

import hashlib
from difflib import SequenceMatcher

from zen_agents.model.environment import Edit, Rewrite


class AnotherTextError(ValueError):
    """This is not the text that the edits are of."""


def rewrite(before: str, after: str) -> Rewrite | None:
    """Return what makes one text the other; None if they are the same."""
    if before == after:
        return None
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    edits = [
        Edit(first, behind, "".join(new[begin:end]))
        for what, first, behind, begin, end in SequenceMatcher(None, old, new).get_opcodes()
        if what != "equal"
    ]
    return Rewrite(digest(before), digest(after), tuple(edits))


def rewritten(before: str, change: Rewrite) -> str:
    """Return the other text; AnotherTextError if this is not the one that it was made for."""
    if digest(before) != change.before:
        raise AnotherTextError("it does not hold any more what it did")
    lines = before.splitlines(keepends=True)
    for edit in reversed(change.edits):
        lines[edit.first : edit.behind] = [edit.text]
    after = "".join(lines)
    if digest(after) != change.after:
        raise AnotherTextError("what would be written is not what was resolved")
    return after


def digest(text: str) -> str:
    """Return the SHA-256 of a text as UTF-8, hex."""
    return hashlib.sha256(text.encode()).hexdigest()
