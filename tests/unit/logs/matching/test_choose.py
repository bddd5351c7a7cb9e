"""Which engine is taken, and what is said where a faster one is missing or refuses."""

from __future__ import annotations

import sys

import pytest

from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.choose import BULK, RESIDENT, choose


def _without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    for engine in ("with_re2", "with_vectorscan"):
        monkeypatch.delitem(sys.modules, f"zen_agents.logs.matching.{engine}", raising=False)


def test_the_fastest_that_is_installed_is_taken() -> None:
    pytest.importorskip("hyperscan")
    pytest.importorskip("re2")
    chosen = choose(["a"], BULK)
    assert (chosen.matcher.name, chosen.why) == ("vectorscan", "")
    assert choose(["a"], RESIDENT).matcher.name == "re2"


def test_without_any_the_plain_one_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "re2", "hyperscan")
    chosen = choose(["fail(?P<what>ed|ure)"], BULK)
    assert [hit.pattern for hit in chosen.matcher.hits(b"x\nfailed\n")] == [0]
    assert chosen.matcher.fields(0, b"failed") == {"what": "ed"}
    assert "Vectorscan is not installed" in chosen.why
    assert "google-re2 is not installed" in chosen.why


def test_without_re2_no_engine_is_given_what_might_take_years(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "re2")
    with pytest.raises(PatternRefusedError, match="several ways") as refused:
        choose(["a", "(?P<x>(?:a+)+)b"], BULK)
    assert refused.value.index == 1


def test_a_pattern_that_the_fastest_refuses_is_matched_by_the_next() -> None:
    pytest.importorskip("hyperscan")
    pytest.importorskip("re2")
    chosen = choose(["x", r"a\ba"], BULK)
    assert chosen.matcher.name == "re2"
    assert chosen.why == "pattern 2 is refused by Vectorscan: Pattern can never match."


def test_a_pattern_that_is_none_is_refused_by_all() -> None:
    with pytest.raises(PatternRefusedError, match="looks around itself"):
        choose(["a", "b(?=c)"])


def test_there_is_no_matcher_of_nothing() -> None:
    with pytest.raises(ValueError, match="needs a pattern"):
        choose([])
