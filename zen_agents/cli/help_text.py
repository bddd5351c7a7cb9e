"""What a command says about itself, on a terminal: prose ends where the terminal does, an example is never broken."""

from __future__ import annotations

import re

from zen_agents.cli.render import broken

#: An example, and what it does.
_EXAMPLE = re.compile(r"  (\S.*?)(?: {2,}(\S.*))?$")
#: What an example does gets at least so many columns beside it, else it stands below.
_BESIDE, _BELOW = 24, 6


def fitted(text: str, width: int) -> str:
    """Return the text of a help so that it fits, as far as its examples let it."""
    return "\n\n".join("\n".join(_block(block.splitlines(), width)) for block in text.strip("\n").split("\n\n"))


def _block(rows: list[str], width: int) -> list[str]:
    prose = " ".join(row for row in rows if not row.startswith("  "))
    lines = broken(prose, width, 0, 0) if prose else []
    for row in rows:
        if row.startswith("  "):
            lines += _example(row, width)
    return lines


def _example(row: str, width: int) -> list[str]:
    found = _EXAMPLE.match(row)
    if found is None or found[2] is None or len(row) <= width:
        return [row]
    begins = found.start(2)
    if begins + _BESIDE <= width:
        return broken(row[2:], width, 2, begins - 2)
    return [row[: found.end(1)], *broken(found[2], width, _BELOW, 0)]
