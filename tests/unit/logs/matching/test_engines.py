"""The same hits and the same fields with every engine, whatever the lines hold and however they are cut into chunks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zen_agents.logs.matching import with_vectorscan
from zen_agents.logs.matching.base import Hit, Matcher, PatternRefusedError
from zen_agents.logs.matching.choose import choose

ENGINES = ("plain", "re2", "vectorscan")
#: What Vectorscan has no automaton for, though the others do.
_NOT_IN_VECTORSCAN = ("never match", "Embedded")


def _matcher(engine: str, *patterns: str) -> Matcher:
    if engine != "plain":
        pytest.importorskip({"re2": "re2", "vectorscan": "hyperscan"}[engine])
    return choose(patterns, (engine,)).matcher


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[..., Matcher]:
    return lambda *patterns: _matcher(request.param, *patterns)


def _lines(matcher: Matcher, chunk: bytes) -> list[tuple[int, bytes]]:
    return [(hit.pattern, chunk[hit.start : hit.end]) for hit in matcher.hits(chunk)]


def test_hits_come_in_the_order_of_lines_then_of_patterns_and_once(make: Callable[..., Matcher]) -> None:
    matcher = make("fail(ed)?", "root", r"port \d+")
    first, second = b"port 22 root failed and failed", b"root fail port 1 port 2"
    start = len(first) + len(b"\nfine\n")
    assert list(matcher.hits(first + b"\nfine\n" + second + b"\n")) == [
        *(Hit(index, 0, len(first)) for index in range(3)),
        *(Hit(index, start, start + len(second)) for index in range(3)),
    ]


def test_no_pattern_reaches_over_a_lines_end(make: Callable[..., Matcher]) -> None:
    assert _lines(make(r"a\s+b", "a[^x]b", r"a\Wb", "(?s)a.b"), b"a\nb\r\na\r\nb a\n\nb") == []


def test_a_line_that_ends_in_cr_lf_ends_before_both(make: Callable[..., Matcher]) -> None:
    matcher = make("^b.$", r"r$", "r.$")
    assert list(matcher.hits(b"bar\r\nbr\nxx\r\nbr\r\nr\r\r\n")) == [
        Hit(1, 0, 3), Hit(0, 5, 7), Hit(1, 5, 7), Hit(0, 12, 14), Hit(1, 12, 14), Hit(2, 16, 18),
    ]  # fmt: skip


def test_nuls_and_broken_utf8_are_bytes_like_others(make: Callable[..., Matcher]) -> None:
    chunk = b"a\x00b\nx\xffy\n\xc3\xa9t\xc3\xa9\n\xc3t\n"
    assert _lines(make(r"a.b", r"x\W+y", "é+t", r"\x00"), chunk) == [
        (0, b"a\x00b"), (3, b"a\x00b"), (1, b"x\xffy"), (2, b"\xc3\xa9t\xc3\xa9"),
    ]  # fmt: skip


def test_case_is_ignored_where_it_says_so_also_outside_ascii(make: Callable[..., Matcher]) -> None:
    chunk = "Error\nERROR\nÉTÉ ok\nété\n".encode()
    assert _lines(make("(?i)error", "E(?i:rror)", "(?i)é.+é", "(?i)[^e]rror"), chunk) == [
        (0, b"Error"), (1, b"Error"), (0, b"ERROR"), (1, b"ERROR"), (2, "ÉTÉ ok".encode()), (2, "été".encode()),
    ]  # fmt: skip


def test_a_letter_by_its_number_is_that_letter_in_utf8(make: Callable[..., Matcher]) -> None:
    assert _lines(make(r"\xff", r"[\xe0-\xe9]"), b"\xff\n\xc3\xbf \xe9\n\xc3\xa9\n") == [
        (0, b"\xc3\xbf \xe9"),
        (1, b"\xc3\xa9"),
    ]


def test_fields_are_what_named_groups_took(make: Callable[..., Matcher]) -> None:
    matcher = make(r"(?:user (?P<user>\S+?),? )?from (?P<address>[\d.]+)(?P<rest>.*)$", "(?P<größe>b+)")
    assert matcher.fields(0, b"user r\xffo\xc3\xb6t, from 10.0.0.1 x") == {
        "user": "r\ufffdo\u00f6t",
        "address": "10.0.0.1",
        "rest": " x",
    }
    assert matcher.fields(0, b"from 10.0.0.1") == {"address": "10.0.0.1", "rest": ""}
    assert matcher.fields(0, b"nobody") == {}
    assert matcher.fields(1, b"abbb") == {"größe": "bbb"}


def test_hits_with_all_that_is_known_of_them_are_those_one_by_one(make: Callable[..., Matcher]) -> None:
    matcher = make(r"user (?P<user>\S+?)(?:,| (?P<rest>x))", "root", r"(?P<head>\w+)\[\d+\]: failed (?P<tail>\w+)")
    chunk = b"a[1]: failed root\r\nuser bob, root\n]: failed root\nuser \xff x\r\nnothing\na[1]: failed eve"
    assert list(matcher.taken(chunk)) == [
        (1, b"a[1]: failed root", ()), (2, b"a[1]: failed root", (b"a", b"root")), (0, b"user bob, root", (b"bob", None)),
        (1, b"user bob, root", ()), (1, b"]: failed root", ()), (0, b"user \xff x", (b"\xff", b"x")),
        (2, b"a[1]: failed eve", (b"a", b"eve")),
    ]  # fmt: skip
    assert [(hit.pattern, chunk[hit.start : hit.end]) for hit in matcher.hits(chunk)] == [
        (pattern, line) for pattern, line, _ in matcher.taken(chunk)
    ]


def test_a_clue_alone_is_no_hit(make: Callable[..., Matcher]) -> None:
    """Vectorscan looks for what follows a part of any length; that part has to be there as well."""
    matcher = make(r"sshd\[\d+\]: Failed password for \w", r"^\d+ Failed password", r"(?:a|b+)Failed")
    lines = [b"sshd[7]: Failed password for root", b"ssh: Failed password for x", b"sshd[x]: Failed password for x",
             b"12 Failed password", b"x12 Failed password", b"bbFailed", b"Failed"]  # fmt: skip
    hits = _lines(matcher, b"\n".join(lines))
    assert hits == [(0, lines[0]), (1, lines[3]), (2, lines[5])]


def test_a_line_of_thousands_of_matches_is_one_hit_and_the_next_line_is_found(make: Callable[..., Matcher]) -> None:
    assert _lines(make("a", "^b", "zz"), b"a" * 5000 + b"\nb\n" + b"xa" * 5000) == [
        (0, b"a" * 5000), (1, b"b"), (0, b"xa" * 5000)
    ]  # fmt: skip


def test_an_empty_chunk_and_empty_lines_hold_nothing(make: Callable[..., Matcher]) -> None:
    matcher = make("a", r"\s")
    assert [list(matcher.hits(chunk)) for chunk in (b"", b"\n\n\r\n\n", b"b")] == [[], [], []]


def test_a_matcher_of_many_patterns_tells_which(make: Callable[..., Matcher]) -> None:
    patterns = [rf"event-{number}\b" for number in range(300)]
    chunk = b"".join(b"x event-%d y\n" % number for number in range(0, 600, 7))
    assert [hit.pattern for hit in make(*patterns).hits(chunk)] == list(range(0, 300, 7))


def test_more_hits_than_are_held_at_once_are_all_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan")
    monkeypatch.setattr(with_vectorscan, "_MOST_HELD", 3)
    matcher = _matcher("vectorscan", "a", "b")
    chunk = b"ab\n" * 40 + b"a" * 50 + b"\nxx\n" + b"b"
    assert list(matcher.hits(chunk)) == list(_matcher("plain", "a", "b").hits(chunk))


_ATOMS = st.sampled_from(
    ["a", "b", "B", "1", " ", ".", r"\s", r"\S", r"\w", r"\W", r"\d", "[ab]", "[^ab]", r"[^\w]", r"\x00",
     "_", "^", "$", r"\b", r"\B", r"\r", r"\A", r"\Z"]
)  # fmt: skip
_COUNTS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "*?", "+?", "??"])


def _composed(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, _COUNTS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.lists(parts, min_size=1, max_size=4).map("".join),
        st.lists(parts, min_size=1, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})"),
        parts.map(lambda part: f"(?i:{part})"),
    )


def _is_taken(pattern: str) -> bool:
    try:
        choose([pattern], ("plain",))
    except PatternRefusedError:
        return False
    return True


_PATTERNS = st.recursive(_ATOMS, _composed, max_leaves=6).filter(_is_taken)
_PIECES = [b"a", b"b", b"A", b"B", b"1", b" ", b"\r", b"\t", b"\0", b"\xff", b"\xc3", b"\xc3\xa9", b"_", b"-"]
_LINES = st.lists(st.sampled_from(_PIECES), max_size=6).map(b"".join)
_ENDED = st.tuples(_LINES, st.sampled_from([b"\n", b"\r\n"])).map(b"".join)
_CALM = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@_CALM
@given(st.lists(_PATTERNS, min_size=1, max_size=3), st.lists(_ENDED, max_size=5), _LINES)
def test_every_engine_finds_the_same_as_python_does_line_by_line(
    patterns: list[str], lines: list[bytes], rest: bytes
) -> None:
    chunk = b"".join(lines) + rest
    expected = list(_expected(patterns, chunk))
    for engine in ENGINES:
        try:
            matcher = _matcher(engine, *patterns)
        except PatternRefusedError as error:
            assert engine == "vectorscan" and any(word in error.what for word in _NOT_IN_VECTORSCAN)
            assert "never match" not in error.what or error.index not in {hit.pattern for hit in expected}
            continue
        assert list(matcher.hits(chunk)) == expected, engine


@_CALM
@given(st.lists(_PATTERNS, min_size=1, max_size=3), st.lists(_ENDED, min_size=2, max_size=6), st.integers(1, 5))
def test_where_chunks_are_cut_changes_nothing(patterns: list[str], lines: list[bytes], at: int) -> None:
    first, second = b"".join(lines[:at]), b"".join(lines[at:])
    for engine in ("plain", "re2"):
        matcher = _matcher(engine, *patterns)
        apart = [
            *matcher.hits(first),
            *(Hit(hit.pattern, hit.start + len(first), hit.end + len(first)) for hit in matcher.hits(second)),
        ]
        assert apart == list(matcher.hits(first + second))


def _expected(patterns: list[str], chunk: bytes) -> Iterator[Hit]:
    """Yield what Python's own `re` finds in each line by itself, a byte for a letter."""
    start = 0
    for line in re.findall(rb"[^\n]*\n|[^\n]+$", chunk):
        content = line.removesuffix(b"\n")
        content = content.removesuffix(b"\r") if line.endswith(b"\n") else content
        for index, pattern in enumerate(patterns):
            if re.search(pattern.encode("ascii"), content):
                yield Hit(index, start, start + len(content))
        start += len(line)
