"""Whatever the bytes are and however they were cut when read, the same whole lines come out, within a bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.errors import LogEncodingError
from zen_agents.logs.lines import LONGEST_LINE, LineSplitter, cut, refuse_encoding

LIMIT = 8
_BYTES = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\0", b"\0\0\0\0\0\0\0\0\0\0", b"\xff", "é".encode()])).map(
    b"".join
)


def _split(chunks: list[bytes], longest: int = LONGEST_LINE) -> tuple[bytes, LineSplitter]:
    splitter = LineSplitter(longest)
    return b"".join([*(splitter.feed(chunk) for chunk in chunks), splitter.end()]), splitter


def test_a_line_cut_in_two_by_a_read_comes_out_whole() -> None:
    """The half that has come is not given, and is said to be unused."""
    first = cut(b"one\ntw")
    assert (first.lines, first.used, first.within) == (b"one\n", 4, False)
    assert cut(b"tw" + b"o\nthree", last=True).lines == b"two\nthree\n"


@given(_BYTES, st.data())
def test_where_the_bytes_were_cut_changes_nothing(content: bytes, data: st.DataObject) -> None:
    """Lines, shortened lines and dropped bytes are those of the content in one piece."""
    borders = sorted(data.draw(st.lists(st.integers(0, len(content)))))
    chunks = [content[start:end] for start, end in zip([0, *borders], [*borders, len(content)], strict=True)]
    lines, splitter = _split([b"a log\n", *chunks], LIMIT)
    whole = cut(b"a log\n" + content, last=True, longest=LIMIT)
    assert (lines, splitter.shortened, splitter.dropped) == (whole.lines, whole.shortened, whole.dropped)


@given(_BYTES)
def test_what_comes_out_is_whole_lines_of_valid_text_within_the_limit(content: bytes) -> None:
    """A matcher can rely on it: no NUL, no carriage return before the newline, at most the limit of what was written."""
    lines = cut(content, last=True, longest=LIMIT).lines
    text = lines.decode()
    assert "\0" not in text
    assert "\r\n" not in text
    assert not lines or lines.endswith(b"\n")
    # A byte that is no UTF-8 becomes the replacement character.
    assert all(len(line) <= LIMIT for line in text.split("\n"))
    assert len(text.split("\n")) <= content.count(b"\n") + 2


@given(_BYTES, st.booleans())
def test_what_is_left_over_is_never_more_than_a_line(content: bytes, within: bool) -> None:
    """So a reader that keeps it is bounded as well, and one that reads more than a line makes progress."""
    found = cut(content, within=within, longest=LIMIT)
    assert 0 <= len(content) - found.used <= LIMIT
    assert not (found.within and found.used < len(content))


def test_a_hundred_megabytes_without_a_newline_are_kept_to_the_limit_and_counted() -> None:
    """In memory there is never more than a chunk and a line; what follows is read as if nothing had been."""
    chunk = b"x" * (1 << 20)
    splitter = LineSplitter()
    given_lines = [splitter.feed(chunk) for _ in range(100)]
    assert sum(map(len, given_lines)) == LONGEST_LINE + 1
    assert splitter.feed(b"x\nnext\n") == b"next\n"
    assert (splitter.shortened, splitter.dropped) == (1, (100 << 20) + 1 - LONGEST_LINE)


def test_a_line_of_exactly_the_limit_is_whole() -> None:
    """One byte more and it is shortened."""
    assert cut(b"x" * LIMIT + b"\n", longest=LIMIT).shortened == 0
    longer = cut(b"x" * (LIMIT + 1) + b"\ny\n", longest=LIMIT)
    assert (longer.lines, longer.shortened, longer.dropped) == (b"x" * LIMIT + b"\ny\n", 1, 1)


def test_a_hole_left_by_a_truncation_is_no_part_of_the_line_after_it() -> None:
    """Else the first line after each copy-truncate of a file that is not appended to would be lost."""
    hole = b"\0" * 1000
    assert cut(b"one\n" + hole + b"two\n", longest=LIMIT).lines == b"one\ntwo\n"
    assert cut(hole, longest=LIMIT).used == len(hole)


def test_broken_bytes_become_the_replacement_character() -> None:
    """What is valid stays as it is, a byte-order mark goes, and no newline is swallowed."""
    assert cut(b"\xef\xbb\xbfcaf\xc3\xa9 \xff\xc3\nnext\r\n").lines.decode() == "café ��\nnext\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_refused_with_what_to_do(encoding: str) -> None:
    """No pattern would ever match it, and nobody would know."""
    with pytest.raises(LogEncodingError, match="iconv"):
        LineSplitter().feed("2026-11-27 error: it broke\n".encode(encoding))


@pytest.mark.parametrize("beginning", [b"", b"x", b"\0" * 600, b"\0\0\0one\n", b"plain text\n", "日本".encode()])
def test_text_and_holes_are_not_taken_for_utf16(beginning: bytes) -> None:
    """A file that begins with the hole of a truncation is read."""
    refuse_encoding(beginning)
    assert LineSplitter().feed(beginning + b"\n").endswith(b"\n")
