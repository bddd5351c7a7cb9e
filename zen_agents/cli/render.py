"""How things look to people: tables and lines that fit the terminal. Data goes to stdout, words about it to stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence, Set

from zen_agents.cli.call import Call
from zen_agents.cli.terminal_width import terminal_columns

#: Colour by what a word says; the word is always there, colour only repeats it.
_COLOURS = {
    **dict.fromkeys(("DOWN", "FAILED", "TIMED_OUT", "DENY", "BROKEN", "escalated"), "31;1"),
    **dict.fromkeys(("unknown", "suspected", "open", "HOLD", "warning", "DIFFERENT"), "33"),
    **dict.fromkeys(("verifying", "SIMULATE"), "36"),
    **dict.fromkeys(("verified", "VERIFIED", "ok", "resolved", "act", "ALLOW", "pass"), "32"),
    "UNKNOWN": "33;1",
}

#: What no line is broken in: a number with its unit, and a command to be typed, in backquotes or at the end.
_BOUND = r"\d (?:ms|s|min|h|d|%)(?!\w)(?: \d+ (?:s|min|h)(?!\w))?|`[^`]+`|\bzen-agents (?:[^,;:]|[,:](?! ))+$"
#: A no-break space. No text that may be shown has it: it is not printable.
_BINDS = "\u00a0"

#: No column gets narrower than this (characters), and with so many it still says something.
_NARROWEST, _READABLE = 8, 24
#: So many lines below a row say the rest of it.
_MOST_BELOW = 6
#: Below this many columns lines are not broken any more.
_NARROWEST_LINE = 24


def clean(text: object) -> str:
    """Return text without anything that a terminal would obey: it may come from logs, names or commands (R17)."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def colour_wanted(call: Call) -> bool:
    """Tell whether stdout takes colour: --no-color, NO_COLOR, FORCE_COLOR, TERM=dumb, a terminal; the first decides."""
    environ = os.environ
    if call.arguments.no_color or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return environ.get("TERM") != "dumb" and sys.stdout.isatty()


def width_of(call: Call) -> int | None:
    """Return how many columns a line may have; None if nobody minds: no terminal, or -o wide."""
    if call.output == "wide" or not sys.stdout.isatty():
        return None
    return terminal_columns()


def table(
    call: Call, heads: Sequence[str], rows: Iterable[Sequence[object]], *, spare: Sequence[str] = (),
    whole: Sequence[str] = (), goes_on: str = "",
) -> None:  # fmt: skip
    """Print aligned columns that fit the terminal.

    Where it is too narrow the `spare` columns are left out, in their order, and then the widest are cut: the `whole` ones
    only when no other has anything left to give, the first never. The column `goes_on` is not cut: what is left of it
    stands below, from where the column begins to the end of the line.
    """
    heads = [clean(head) for head in heads]
    texts = [[clean(cell) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[column]) for row in texts)]) for column, head in enumerate(heads)]
    shown = _shown(heads, widths, spare, whole, width_of(call))
    kept = {place for place, column in enumerate(shown) if heads[column] in whole}
    widths = _fitted([widths[column] for column in shown], kept, width_of(call))
    colour = colour_wanted(call)
    print(_row([heads[column] for column in shown], widths, colour=False))
    place = shown.index(heads.index(goes_on)) if goes_on else 0
    for row in texts:
        cells = [row[column] for column in shown]
        more = _taken_from(cells, place, widths, width_of(call)) if goes_on else []
        print("\n".join([_row(cells, widths, colour=colour), *more]))


def _taken_from(cells: list[str], place: int, widths: Sequence[int], most: int | None) -> list[str]:
    """Leave in a cell what it has room for; return the rest as lines that begin where it does."""
    if most is None or len(cells[place]) <= widths[place]:
        return []
    import textwrap  # noqa: PLC0415  only where something does not fit

    whole, margin = cells[place], " " * _total([*widths[:place], 0])
    too_long = len(whole.split(maxsplit=1)[0]) > widths[place]
    cells[place] = textwrap.wrap(whole, widths[place], break_on_hyphens=False, break_long_words=too_long)[0]
    rest = whole[len(cells[place]) :].strip()
    return textwrap.wrap(
        rest, most, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False, max_lines=_MOST_BELOW,
        placeholder=_cut_mark(),
    )  # fmt: skip


def fits(call: Call, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    """Tell whether a table would have to leave out or cut nothing."""
    most = width_of(call)
    columns = zip(heads, *rows, strict=True)
    return most is None or _total([max(len(clean(cell)) for cell in column) for column in columns]) <= most


def _row(cells: Sequence[str], widths: Sequence[int], *, colour: bool) -> str:
    padded = [f"{cut(cell, width):{width}}" for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(_coloured(cell) if colour else cell for cell in padded).rstrip()


def _shown(
    heads: Sequence[str], widths: Sequence[int], spare: Sequence[str], whole: Sequence[str], most: int | None
) -> list[int]:
    """Return the columns for which there is room."""
    shown, left = list(range(len(heads))), [heads.index(head) for head in spare]
    least = [width if head in whole else min(width, _READABLE) for head, width in zip(heads, widths, strict=True)]
    while left and most is not None and _total([least[column] for column in shown]) > most:
        shown.remove(left.pop(0))
    return shown


def _fitted(widths: Sequence[int], whole: Set[int], most: int | None) -> list[int]:
    """Take from the widest until all fit, as far as that goes; the first, which names the thing, is left whole."""
    fitted, columns = list(widths), range(1, len(widths))
    for giving in ([column for column in columns if column not in whole], [*columns]):
        while most is not None and _total(fitted) > most:
            widest = max(giving, key=fitted.__getitem__, default=0)
            if widest == 0 or fitted[widest] <= _NARROWEST:
                break
            fitted[widest] -= 1
    return fitted


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def cut(text: str, width: int) -> str:
    """Return text that fits, with a mark where something was cut off."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + _cut_mark()


def _cut_mark() -> str:
    return "\u2026" if (sys.stdout.encoding or "").lower().startswith("utf") else "~"


def _coloured(cell: str) -> str:
    code = _COLOURS.get(cell.strip())
    word = cell.rstrip()
    return f"\x1b[{code}m{word}\x1b[0m{cell[len(word) :]}" if code else cell


def say(call: Call, text: object, *, indent: int = 0, hang: int = 0, paint: str = "") -> None:
    """Print untrusted text as one line, broken on a terminal; what follows the first break is `hang` columns further in.

    The first `paint` in it gets the colour of that word.
    """
    lines = broken(clean(text).rstrip(), width_of(call), indent, hang)
    if paint and colour_wanted(call):
        lines[0] = lines[0].replace(paint, _coloured(paint), 1)
    print("\n".join(lines))


def broken(line: str, width: int | None, indent: int, hang: int) -> list[str]:
    """Return a line as lines that fit; what follows the first is `hang` columns further in. None: nobody minds."""
    margin = " " * indent
    if width is None or len(margin + line) <= width or width < indent + hang + _NARROWEST_LINE:
        return [margin + line]
    import textwrap  # noqa: PLC0415  as above

    further, room = margin + " " * hang, width - indent - hang
    bound = re.sub(_BOUND, lambda found: found[0].replace(" ", _BINDS) if len(found[0]) <= room else found[0], line)
    lines = textwrap.wrap(bound, width, initial_indent=margin, subsequent_indent=further, break_on_hyphens=False)
    return [each.replace(_BINDS, " ") for each in lines]


def typed(call: Call, label: str, command: str) -> None:
    """Print a command that is worth typing behind its label; where it does not fit, on a line of its own, never broken."""
    line, width = clean(label + command), width_of(call)
    fits = width is None or len(line) <= width
    print(line if fits else f"{clean(label).rstrip()}\n  {clean(command)}")


def flow(call: Call, parts: Iterable[str], separator: str) -> None:
    """Print parts on one line; on a terminal a part that does not fit begins a new one, and is broken if it is too long."""
    width = width_of(call)
    lines = flowed(parts, separator, width)
    print("\n".join(piece for line in lines for piece in broken(line, width, 0, 4)))


def flowed(parts: Iterable[str], separator: str, width: int | None, *, hang: int = 0) -> list[str]:
    """Return parts as lines; one that does not fit begins a new line, which is `hang` columns further in."""
    lines: list[str] = []
    for part in map(clean, parts):
        if lines and (width is None or len(lines[-1]) + len(separator) + len(part) <= width):
            lines[-1] += separator + part
        else:
            lines.append((" " * hang if lines else "") + part)
    return lines


def note(text: str) -> None:
    """Say something about the answer, beside it: on stderr, broken on a terminal."""
    width = terminal_columns() if sys.stderr.isatty() else None
    print("\n".join(broken(clean(text), width, 0, 2)), file=sys.stderr)


def next_steps(call: Call, *commands: str) -> None:
    """Name at most three commands worth typing next; on a terminal only, and never on stdout."""
    if sys.stderr.isatty() and not call.arguments.quiet and not call.machine:
        first, *others = commands[:3]
        width = terminal_columns()
        print("\n".join(flowed([f"Next: {first}", *others], "    ", width, hang=6)), file=sys.stderr)


def plural(count: int, noun: str) -> str:
    """Return `1 action`, `2 actions`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
