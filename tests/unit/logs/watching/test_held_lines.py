"""Lines that are held before they are counted."""

from __future__ import annotations

from datetime import UTC

from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.held_lines import HeldLines


def test_so_few_lines_of_all_matches_are_held_that_a_finding_does_not_wait_for_them() -> None:
    held, stamps = HeldLines(), Stamps(0.0, UTC)
    for match in range(50):
        held.make_room(match, 1000)
    asked = 0
    for number in range(10_000):
        due = held.add(number % 50, (b"line", "/log", stamps))
        taken = sum(len(held.take(match)) for match in due)
        asked += taken
        assert number + 1 - asked < 250
    assert asked > 9_000
