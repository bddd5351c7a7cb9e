"""Written series: promtool's notation, and a place for what is not in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.model.observation import Status
from zen_agents.rehearsal.series import MOST_SAMPLES, SeriesError, read_series


def values(text: str) -> list[float | str]:
    return [fact.status.value if fact.value is None else fact.value for fact in read_series(text)]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("up", ["ok"]),
        ("up x2 down", ["ok", "ok", "problem"]),
        ("40", [40.0]),
        ("40+5x3", [40.0, 45.0, 50.0, 55.0]),
        ("90-5x1 7 x2", [90.0, 85.0, 7.0, 7.0]),
        ("-1.5 _ x2", [-1.5, "unknown", "unknown"]),
        ("7 x1", [7.0]),
        ("3+0x0", [3.0]),
    ],
)
def test_what_a_series_means(text: str, means: list[float | str]) -> None:
    assert values(text) == means


def test_a_value_that_could_not_be_told_is_unknown_and_no_number() -> None:
    (fact,) = read_series("_")
    assert (fact.status, fact.value) == (Status.UNKNOWN, None)


@pytest.mark.parametrize(
    ("text", "said", "offset"),
    [
        ("", "no value", 0),
        ("x4", "there is none", 0),
        ("up x0", "not between 1", 3),
        ("up dwn", "`dwn` is neither", 3),
        ("up 40x7", "write `40 x7`", 3),
        ("downx2", "write `down x2`", 0),
        (f"up x{MOST_SAMPLES + 1}", "not between", 3),
        (f"up x{MOST_SAMPLES} up", "more than", 11),
        ("1+1x99999999999", "neither", 0),
        ("nan", "neither", 0),
    ],
)
def test_what_is_wrong_with_a_series_is_told_with_its_place(text: str, said: str, offset: int) -> None:
    with pytest.raises(SeriesError, match=said) as error:
        read_series(text)
    assert error.value.offset == offset


@given(st.text(alphabet="up down x0123456789+-_. ", max_size=30))
def test_any_text_is_read_or_refused_within_it(text: str) -> None:
    try:
        assert 0 < len(read_series(text)) <= MOST_SAMPLES
    except SeriesError as error:
        assert 0 <= error.offset <= len(text)
