"""What the fields of a line must be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.detection.where import WhereRefusedError, compiled
from zen_agents.logs.matching.base import PatternRefusedError


def holds(where: dict[str, object], **fields: str) -> bool:
    return compiled(where)(fields)


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        ("error", ["error"], ["Error", "errors", ""]),
        (500, ["500", "500.0"], ["5000", "five hundred", "50_0"]),
        (True, ["true"], ["True", "1"]),
        (["error", "fatal", 3], ["error", "fatal", "3"], ["warning", "33"]),
        ([">= 500"], [">= 500"], ["501"]),
        (">= 500", ["500", "503.5", " 501"], ["499", "", "many", "nan", "inf", "9" * 400]),
        ("<= 0.5", ["0.5", "-1"], ["0.51"]),
        ("< 3", ["2"], ["3", "x"]),
        ("> 3", ["3.1", "1e9"], ["3"]),
        ("!= GET", ["POST", ""], ["GET"]),
        ({"match": "^/adm[ií]n"}, ["/admin/x", "/admín"], ["/x/admin", ""]),
    ],
    ids=str,
)
def test_a_field_is_as_it_must_be(wanted: object, yes: list[str], no: list[str]) -> None:
    assert [holds({"field": wanted}, field=value) for value in yes] == [True] * len(yes)
    assert [holds({"field": wanted}, field=value) for value in no] == [False] * len(no)


@pytest.mark.parametrize("wanted", ["x", ["x"], 0, ">= 0", "!= x", {"match": "x"}], ids=str)
def test_what_a_line_does_not_say_never_holds(wanted: object) -> None:
    assert not holds({"field": wanted}, other="x")


def test_all_of_it_must_hold() -> None:
    where: dict[str, object] = {"status": ">= 500", "method": ["GET", "HEAD"]}
    assert holds(where, status="502", method="GET")
    assert not holds(where, status="502", method="POST")
    assert not holds(where, status="404", method="GET")


def test_nothing_asked_for_always_holds() -> None:
    assert holds({}, any="thing")


@pytest.mark.parametrize(
    "wanted", [">= many", "!", "> ", [], None, [None], {}, {"match": 3}, {"match": "a", "else": "b"}, float("nan")], ids=str
)
def test_what_means_nothing_is_refused_with_the_field_named(wanted: object) -> None:
    with pytest.raises(WhereRefusedError, match="status: ") as refused:
        compiled({"level": "error", "status": wanted})
    assert refused.value.field == "status"


def test_an_expression_that_is_not_linear_is_refused() -> None:
    with pytest.raises(PatternRefusedError):
        compiled({"path": {"match": r"(a+)\1"}})


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_line_says_is_an_answer(value: str, limit: float) -> None:
    assert holds({"field": f">= {limit}"}, field=value) in {True, False}
