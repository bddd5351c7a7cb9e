"""How things look: tables for people, one envelope for programs. Data goes to stdout, words about it to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.cli.call import Call

#: Colour by what a word says; the word is always there, colour only repeats it.
_COLOURS = {
    "DOWN": "31;1", "FAILED": "31;1", "UNKNOWN": "33;1", "unknown": "33", "suspected": "33", "verifying": "36",
    "verified": "32", "ok": "32", "failed": "31", "BLOCKED": "33", "WOULD RUN": "32;1",
}  # fmt: skip


def clean(text: object) -> str:
    """Return text without anything that a terminal would obey: it may come from logs, names or commands (R17)."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def colour_wanted(call: Call) -> bool:
    """Tell whether stdout takes colour: a terminal, and nobody said no."""
    if call.arguments.no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return bool(os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE")) and not call.arguments.no_color
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"))


def table(call: Call, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; the last one takes what is left of the line."""
    texts = [[clean(cell) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[column]) for row in texts)]) for column, head in enumerate(heads)]
    colour = colour_wanted(call)
    print(_line(heads, widths).rstrip())
    for row in texts:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        if colour:
            cells = [_coloured(cell) for cell in cells]
        print("  ".join(cells).rstrip())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))


def _coloured(cell: str) -> str:
    code = _COLOURS.get(cell.strip())
    return f"\x1b[{code}m{cell}\x1b[0m" if code else cell


def data(call: Call, kind: str, body: Any) -> None:
    """Print for a program: one envelope `{"schema": "zen-agents/KIND/v1", ...}`, or a line an item."""
    envelope = {"schema": f"zen-agents/{kind}/v1", **(body if isinstance(body, Mapping) else {"items": list(body)})}
    if call.output == "jsonl" and not isinstance(body, Mapping):
        for item in envelope["items"]:
            print(json.dumps(item, default=str))
    elif call.output == "yaml":
        import yaml  # noqa: PLC0415  only here

        print(yaml.safe_dump(json.loads(json.dumps(envelope, default=str)), sort_keys=False, allow_unicode=True), end="")
    else:
        print(json.dumps(envelope, indent=2, default=str))


def next_steps(call: Call, *commands: str) -> None:
    """Name at most three commands worth typing next; on a terminal only, and never on stdout."""
    if sys.stderr.isatty() and not call.arguments.quiet and not call.machine:
        print("Next: " + "    ".join(commands[:3]), file=sys.stderr)


def ago(seconds: float | None) -> str:
    """Return an age for people."""
    from zen_agents.engine.escalation import duration  # noqa: PLC0415

    return "-" if seconds is None else duration(seconds)
