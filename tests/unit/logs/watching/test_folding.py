"""Records as one line each: those that joining line by line finds, wherever the log was cut, and none is lost or made up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.logs.test_joining import AFTER, GO, INDENTED, JAVA, PYTHON
from zen_agents.logs.joining import Joiner
from zen_agents.logs.watching.folding import FOLD, RecordFolding

RECORDS = st.sampled_from([AFTER, PYTHON, JAVA, GO, INDENTED, "request failed", "\tindented from the start", "KeyError: x"])


def joined(lines: Sequence[str]) -> Iterator[str]:
    joiner = Joiner()
    yield from (entry for line in lines if (entry := joiner.feed(line)) is not None)
    yield joiner.end() or ""


def folded(records: bytes) -> list[str]:
    return [line.replace(FOLD, "\n") for line in records.decode().split("\n") if line]


@given(records=st.lists(RECORDS, min_size=1, max_size=8), data=st.data())
@settings(max_examples=80, deadline=None)
def test_records_are_those_that_joining_line_by_line_finds(records: list[str], data: st.DataObject) -> None:
    lines = [line for record in records for line in record.split("\n")]
    ends = sorted(data.draw(st.sets(st.integers(1, len(lines)), max_size=4)) | {len(lines)})
    folding, found, at = RecordFolding(), list[str](), 0
    for end in ends:
        found += folded(folding.fold("".join(f"{line}\n" for line in lines[at:end]).encode(), "/var/log/app.log"))
        assert folding.whole() == b"", "something came to the only file"
        folding, at = RecordFolding(json.loads(json.dumps(folding.saved()))), end
    found += folded(folding.whole())
    assert found == list(filter(None, joined(lines)))
    assert not folding.saved()


def test_files_are_told_apart_and_what_is_saved_is_checked() -> None:
    folding = RecordFolding([["/a", {"lines": ["a failed"], "stage": ""}], ["/b", 3], "x", [4, {}]])
    assert folding.fold(b"b\n", "/b") == b""
    assert folding.fold(b"  below a\n", "/a") == b""
    assert folding.fold(b"a again\n", "/a").decode() == f"a failed{FOLD}  below a\n"
    assert folding.whole() == b""
    assert sorted(folding.whole().splitlines()) == [b"a again", b"b"]


def test_of_very_many_files_the_oldest_records_are_taken_as_whole() -> None:
    folding = RecordFolding()
    found = b"".join(folding.fold(b"line %d\n" % number, f"/{number}") for number in range(100))
    assert found.splitlines() == [b"line %d" % number for number in range(36)]
