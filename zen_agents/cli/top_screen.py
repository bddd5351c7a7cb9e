"""What `top` shows, as lines of text: of any size, without a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from enum import Enum, auto

from zen_agents.cli.render import clean, flowed
from zen_agents.dataclass import dataclass

#: Below this (columns, lines) there is nothing worth showing.
SMALLEST = (40, 12)
_MOST_ACTIONS, _MOST_ABNORMAL, _MOST_COUNTS, _ABOUT = 4, 3, 2, 2
#: From so many columns on there is room for what was done last.
_WIDE = 100
_KEYS = "j k move   Enter why   l log   / filter   ? help   q quit"
_BACK = "j k move   q back"
HELP = (
    "Nothing here acts on the host: to act, type a command.",
    "",
    "j, k, arrows      move, or turn the page",
    "Enter, w          why: the whole chain of the incident, or why nothing is done",
    "l                 log: what happened lately",
    "/                 show only checks whose name has this in it; empty shows all",
    "?                 this page",
    "q, Esc            back, or end",
    "",
    "zen-agents pause NAME --for 1h --reason TEXT     let the engine leave it alone",
    "zen-agents approve ID --reason TEXT              say yes to what is asked",
    "zen-agents stop --emergency --reason TEXT        stop all changes at once",
)


class Style(Enum):
    """How a line looks; it says the same without."""

    PLAIN = auto()
    HEAD = auto()
    BAD = auto()
    CHOSEN = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line, never wider than the screen."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    """One check, in words."""

    name: str
    state: str
    since: str
    value: str
    #: Its incident, "" if it has none.
    incident: str
    #: What it is called where it is asked about.
    check: str
    last_action: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known at one moment."""

    #: What holds the engine, or that none answers; worst first.
    abnormal: tuple[str, ...]
    headline: str
    #: How much is open, done, spent and asked, in parts.
    counts: tuple[str, ...]
    rows: tuple[Row, ...]
    #: The last actions, newest first, one line each.
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the person is."""

    #: Name of the row that is chosen; the first if there is none of that name. Rows change places while somebody looks.
    chosen: str = ""
    #: Only checks with this in their name.
    filter: str = ""
    #: True while the filter is typed.
    typing: bool = False
    #: A page of text above everything, and from which line of it on.
    page: tuple[str, ...] = ()
    turned: int = 0


def shown_rows(picture: Picture, cursor: Cursor) -> tuple[Row, ...]:
    """Return the rows that the filter lets through."""
    return tuple(row for row in picture.rows if cursor.filter.lower() in row.name.lower())


def chosen_of(rows: Sequence[Row], cursor: Cursor) -> int:
    """Return which of the rows is chosen."""
    return next((index for index, row in enumerate(rows) if row.name == cursor.chosen), 0)


def screen(picture: Picture, cursor: Cursor, width: int, height: int) -> list[Line]:
    """Return exactly `height` lines, none wider than `width`."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        lines = [Line(f"at least {SMALLEST[0]} columns and {SMALLEST[1]} lines are needed")]
    elif cursor.page:
        lines = _page(cursor, width, height)
    else:
        lines = _overview(picture, cursor, width, height)
    fitted = [Line(_fit(line.text, width), line.style) for line in lines[:height]]
    return fitted + [Line("")] * (height - len(fitted))


def page_lines(cursor: Cursor, width: int) -> list[str]:
    """Return the page of text in lines that fit, broken where it is too wide."""
    lines: list[str] = []
    for text in cursor.page:
        margin = " " * min(len(text) - len(text.lstrip()) + 2, width // 2)
        lines += textwrap.wrap(clean(text), width, subsequent_indent=margin, drop_whitespace=False) or [""]
    return lines


def _page(cursor: Cursor, width: int, height: int) -> list[Line]:
    lines = page_lines(cursor, width)
    room = height - 1
    first = max(0, min(cursor.turned, len(lines) - room))
    shown = [Line(text) for text in lines[first : first + room]]
    more = f"   lines {first + 1} to {first + len(shown)} of {len(lines)}" if len(lines) > room else ""
    return [*shown, *[Line("")] * (room - len(shown)), Line(_BACK + more, Style.HEAD)]


def _overview(picture: Picture, cursor: Cursor, width: int, height: int) -> list[Line]:
    abnormal = [part for text in picture.abnormal for part in textwrap.wrap(clean(text), width)]
    head = [Line(text, Style.BAD) for text in abnormal[:_MOST_ABNORMAL]]
    counts = flowed(picture.counts, " | ", width)[:_MOST_COUNTS]
    head += [Line(picture.headline, Style.HEAD)] if picture.headline else []
    head += [*map(Line, counts), Line("")]
    rows = shown_rows(picture, cursor)
    below = _about(rows[chosen_of(rows, cursor)] if rows else None, width) + _actions(picture)
    table = _table(rows, cursor, width, height - len(head) - len(below) - 1)
    return [*head, *table, *below, _foot(cursor, len(rows), len(table) - 1)]


def _foot(cursor: Cursor, rows: int, shown: int) -> Line:
    if cursor.typing:
        return Line(f"show only: {cursor.filter}_   (Enter ends)", Style.HEAD)
    more = f"   {shown} of {rows}" if rows > shown else ""
    return Line(_KEYS + more + (f"   showing only {cursor.filter}" if cursor.filter else ""), Style.HEAD)


def _table(rows: Sequence[Row], cursor: Cursor, width: int, height: int) -> list[Line]:
    """Return the head and as many rows as there is room for, the chosen one among them."""
    sizes = _sizes(rows, width)

    def line(*cells: str) -> str:
        texts = [f"{_fit(cell, size):{size}}" for cell, size in zip(cells, sizes, strict=True) if size]
        return " ".join(texts)

    room = max(1, height - 1)
    chosen = chosen_of(rows, cursor)
    first = max(0, chosen - room + 1)
    found = [Line(line("CHECK", "STATE", "SINCE", "VALUE", "LAST ACTION"), Style.HEAD)]
    for index, row in enumerate(rows[first : first + room], first):
        style = Style.CHOSEN if index == chosen else Style.BAD if row.state == "DOWN" else Style.PLAIN
        found.append(Line(line(row.name, row.state, row.since, row.value, row.last_action), style))
    if not rows:
        found.append(Line("no check has this in its name" if cursor.filter else "nothing is known of any check"))
    return found + [Line("")] * (room + 1 - len(found))


def _sizes(rows: Sequence[Row], width: int) -> tuple[int, int, int, int, int]:
    """Return how wide the columns are: no wider than what they hold, and the value has what is left."""

    def longest(texts: Iterable[str], least: int, most: int) -> int:
        return min(most, max([least, *map(len, texts)]))

    wide = width >= _WIDE
    name = longest((row.name for row in rows), 8, 32 if wide else 24)
    state = longest((row.state for row in rows), 6, 10)
    since = longest((row.since for row in rows), 6, 11)
    action = longest((row.last_action for row in rows), 12, 36) if wide else 0
    columns = [size for size in (name, state, since, action) if size]
    return name, state, since, max(8, width - sum(columns) - len(columns)), action


def _about(row: Row | None, width: int) -> list[Line]:
    """Return lines about the chosen check, always as many: what is too long for the table stands here."""
    said = f"{row.incident or 'no incident'}  {row.check}: {row.state} {row.value}" if row is not None else ""
    lines = textwrap.wrap(clean(said), width, max_lines=_ABOUT, placeholder="~")
    return [Line(""), *map(Line, lines), *[Line("")] * (_ABOUT - len(lines))]


def _actions(picture: Picture) -> list[Line]:
    texts = picture.actions[:_MOST_ACTIONS] or ("nothing was done yet",)
    return [Line("LAST ACTIONS", Style.HEAD), *(Line(text) for text in texts)]


def _fit(text: str, width: int) -> str:
    plain = clean(text)
    return plain if len(plain) <= width else plain[: width - 1] + "~"
