"""The short form of the soak: a real engine on real faults until each was repaired again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.soak.__main__ import soak
from chaos.soak.course import Course

pytestmark = pytest.mark.slow

#: One more than the rotated logs that are kept, so that the oldest has to go.
OFTEN = 4
LONGEST_MINUTES = 3.0
#: So fast that the walks, of which one begins every five minutes on a host, do not make the run long.
SPEED = 240.0
#: An engine at rest holds half of it; were one left over at each repair, these would not suffice.
MOST_DESCRIPTORS = 32


def repaired(course: Course) -> dict[str, int]:
    # Temporary files count from the age of a minute on, so theirs is the longer form's.
    tallies = [tally for tally in course.tallies if tally.fault.name != "old temporary files"]
    return {tally.fault.name: len(tally.repaired) for tally in tallies}


def not_yet(course: Course) -> bool:
    return min(repaired(course).values()) < OFTEN or course.messages == 0


def test_an_engine_repairs_the_same_faults_again_and_again_and_leaves_a_whole_ledger(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    course, judged = soak(tmp_path, minutes=LONGEST_MINUTES, speed=SPEED, goes_on=not_yet)
    assert not not_yet(course), repaired(course)
    assert [each for each in judged if each.met is False] == []
    assert max(each.descriptors for each in course.samples) < MOST_DESCRIPTORS
