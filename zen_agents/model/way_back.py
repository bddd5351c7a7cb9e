"""Whether something can be taken back, in the words in which it is told everywhere before it runs."""

from __future__ import annotations


def way_back(reversible: object) -> str:
    """Return `yes` or `partly` as it is, and for `no` words that say what that means."""
    return "no: it cannot be undone" if reversible == "no" else str(reversible)
