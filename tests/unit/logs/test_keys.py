"""Keys come from whoever writes the log: what telling them apart may cost, and what it takes to have one forgotten."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zen_agents.logs.keys import LONGEST_VALUE, Key, KeyTable, key_of


def test_a_line_that_lacks_a_field_is_nobodys() -> None:
    assert key_of({"host": "web1", "user": ""}, ["host", "user"]) == ("web1", "")
    assert key_of({"host": "web1"}, ["host", "user"]) is None
    assert key_of({}, []) == ()


def test_long_values_stay_apart_and_become_short() -> None:
    first, second = key_of({"user": "a" * 10_000}, ["user"]), key_of({"user": "a" * 9_999}, ["user"])
    assert first is not None and second is not None and first != second
    assert max(len(first[0]), len(second[0])) <= LONGEST_VALUE


def test_the_least_useful_is_forgotten_first_and_counted() -> None:
    table: KeyTable[str] = KeyTable(2)
    assert table.keep(("often",), "o", 5) is None
    assert table.keep(("once",), "1", 1) is None
    assert table.keep(("new",), "n", 1) == (("once",), "1")
    assert table.get(("often",)) == "o" and table.get(("once",)) is None and table.forgotten == 1


def test_what_once_was_frequent_grows_old() -> None:
    table: KeyTable[None] = KeyTable(3)
    table.keep(("old",), None, 50)
    for number in range(200):
        table.keep((str(number),), None, 1)
    assert table.get(("old",)) is None


def test_no_room_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        KeyTable(0)


@example(most=3, own=4, before=[], after=[0, 0, 1, 2, 0, 1, 1, 2])
@given(
    most=st.integers(1, 6), own=st.integers(1, 8), before=st.lists(st.integers(0, 9), max_size=60),
    after=st.lists(st.integers(0, 30), max_size=200),
)  # fmt: skip
def test_forgetting_a_key_costs_as_many_hits_with_each_other_place(
    most: int, own: int, before: list[int], after: list[int]
) -> None:
    table, victim = Counted(most), ("victim",)
    for number in before:
        table.hit((str(number),))
    for _ in range(own):
        table.hit(victim)
    for number, other in enumerate(after, start=1):
        if table.hit((str(other),)) == victim:
            assert len(before) + number > own * (most - 1)
            return
    assert victim in table.kept and len(table.kept) <= most


class Counted:
    """Counts hits in a table as a detector does: a key that was forgotten begins anew."""

    def __init__(self, most: int) -> None:
        self._table: KeyTable[int] = KeyTable(most)

    def hit(self, key: Key) -> Key | None:
        count = (self._table.get(key) or 0) + 1
        lost = self._table.keep(key, count, count)
        return None if lost is None else lost[0]

    @property
    def kept(self) -> set[Key]:
        return {key for key, _ in self._table.items()}
