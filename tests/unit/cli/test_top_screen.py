"""What `top` shows fits any terminal, holds nothing that it would obey, and keeps what was chosen in sight."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import HOSTILE
from zen_agents.cli.top_screen import HELP, SMALLEST, Cursor, Picture, Row, Style, page_lines, screen, shown_rows


def row(name: str, state: str = "ok", incident: str = "") -> Row:
    return Row(name, state, "2 min", f"{name} is {state}", incident, f"system_health.{name}", "-")


PICTURE = Picture(
    ("EMERGENCY STOP since 03:20 by alice - nothing will run. zen-agents resume --help",), "web-07  ENFORCE  up 12 d",
    ("1 incident open", "2 actions today"),
    (row("web", "DOWN", "inc-aaaa11"), *(row(f"check{number:02}") for number in range(60))),
    ("act-aaaa11  03:12:44  restart_service service:web -> failed",),
)  # fmt: skip
TEXT = st.text(max_size=200) | st.just(HOSTILE)


def shown(cursor: Cursor, width: int = 80, height: int = 24) -> list[str]:
    return [line.text.rstrip() for line in screen(PICTURE, cursor, width, height)]


def test_eighty_columns_and_twenty_four_lines_hold_what_matters() -> None:
    lines = shown(Cursor())
    assert lines[0].startswith("EMERGENCY STOP")
    assert lines[1:3] == ["web-07  ENFORCE  up 12 d", "1 incident open | 2 actions today"]
    assert lines[4].split() == ["CHECK", "STATE", "SINCE", "VALUE"]
    assert lines[5].split()[:2] == ["web", "DOWN"]
    assert lines[-5:-3] == ["inc-aaaa11  system_health.web: DOWN web is DOWN", ""]
    assert lines[-3:-1] == ["LAST ACTIONS", "act-aaaa11  03:12:44  restart_service service:web -> failed"]
    assert "q quit" in lines[-1]


def test_what_is_too_long_is_marked_in_the_table_and_whole_below_it() -> None:
    value = "connection refused at 10.0.0.7:5432 by the third of three replicas, since its certificate ended"
    long = replace(row("web", "DOWN", "inc-aaaa11"), since="11 min 58 s", value=value)
    lines = [line.text.rstrip() for line in screen(replace(PICTURE, rows=(long,)), Cursor(), 80, 24)]
    assert lines[5].startswith("web      DOWN   11 min 58 s connection refused at") and lines[5].endswith("~")
    assert value in " ".join(lines[-5:-3])
    counts = ("3 incidents open", "12 actions today (1 failed, 11 verified)", "repairs 5/5 this hour", "1 approval waiting")
    told = [line.text.rstrip() for line in screen(replace(PICTURE, counts=counts), Cursor(), 80, 24)][2:4]
    assert told == [" | ".join(counts[:2]), " | ".join(counts[2:])]


def test_of_a_storm_it_says_how_many_are_shown() -> None:
    assert shown(Cursor())[-1].endswith("   13 of 61")
    assert "of" not in shown(Cursor(filter="web"))[-1]


@given(
    width=st.integers(1, 200), height=st.integers(1, 60), chosen=TEXT, filter=TEXT, typing=st.booleans(),
    page=st.lists(TEXT, max_size=5), turned=st.integers(0, 500), text=TEXT,
)  # fmt: skip
def test_any_size_and_any_text_is_so_many_lines_of_no_more_than_that(
    width: int, height: int, chosen: str, filter: str, typing: bool, page: list[str], turned: int, text: str
) -> None:
    odd = Picture((text,), text, (text,), (Row(text, text, text, text, text, text, text),), (text,))
    lines = screen(odd, Cursor(chosen, filter, typing, tuple(page), turned), width, height)
    assert len(lines) == height
    assert all(len(line.text) <= width and (line.text.isprintable() or not line.text) for line in lines)


def test_what_is_chosen_is_in_sight_and_stays_chosen_where_rows_change_places() -> None:
    for number in (0, 30, 59):
        chosen = [line for line in screen(PICTURE, Cursor(f"check{number:02}"), 80, 24) if line.style is Style.CHOSEN]
        assert [line.text.split()[0] for line in chosen] == [f"check{number:02}"]
    turned = replace(PICTURE, rows=PICTURE.rows[::-1])
    (line,) = [line for line in screen(turned, Cursor("web"), 80, 24) if line.style is Style.CHOSEN]
    assert line.text.split()[0] == "web"


def test_a_filter_leaves_what_has_it_in_its_name() -> None:
    assert [each.name for each in shown_rows(PICTURE, Cursor(filter="K1"))] == [f"check{number}" for number in range(10, 20)]
    assert "no check has this in its name" in shown(Cursor(filter="zzz"))[5]
    assert "show only: web_" in shown(Cursor(filter="web", typing=True))[-1]


def test_a_page_is_turned_to_its_end_and_no_further() -> None:
    page = tuple(f"line {number}" for number in range(100))
    assert shown(Cursor(page=page))[0] == "line 0"
    assert shown(Cursor(page=page, turned=500))[22] == "line 99"
    assert "lines 78 to 100 of 100" in shown(Cursor(page=page, turned=500))[-1]
    assert page_lines(Cursor(page=("    indented " + "word " * 30,)), 40)[1].startswith("      ")


def test_a_terminal_that_is_too_small_is_told() -> None:
    assert shown(Cursor(), SMALLEST[0] - 1, 24)[0].startswith("at least 40 columns")


@pytest.mark.parametrize("word", ["a (", "p (", "approve it", "Enter twice"])
def test_no_key_acts(word: str) -> None:
    assert "Nothing here acts on the host" in HELP[0]
    assert not any(word in line for line in HELP)
