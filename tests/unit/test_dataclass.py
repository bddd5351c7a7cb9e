"""A class of `zen_agents.dataclass` is used like one of the standard library, beside which it stands here."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zen_agents
from zen_agents.dataclass import compile_now, dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    first: int
    second: str = "two"
    third: list[int] = dataclasses.field(default_factory=list, compare=False)
    hidden: str = dataclasses.field(default="secret", repr=False, kw_only=True)
    kind: ClassVar[str] = "class"


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    first: int
    second: str = "two"
    third: list[int] = dataclasses.field(default_factory=list, compare=False)
    hidden: str = dataclasses.field(default="secret", repr=False, kw_only=True)
    kind: ClassVar[str] = "class"


@dataclass(frozen=True, slots=True)
class Child(Ours):
    fourth: float = 4.0


@dataclass(frozen=True, order=True, slots=True)
class Ordered:
    rank: int
    name: str


@dataclass(slots=True)
class Open:
    value: int
    double: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.double = 2 * self.value


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    value: int

    def __repr__(self) -> str:
        return f"the single {self.value}"


def outcome(call: Callable[[], Any]) -> str:
    """Return what came of it, without the name of the class."""
    try:
        result = repr(call())
    except (TypeError, AttributeError) as error:
        result = f"{type(error).__name__}: {error}"
    return re.sub("Ours|Theirs", "X", result)


WAYS: tuple[Callable[[Any], Any], ...] = (
    lambda cls: cls(1),
    lambda cls: cls(1, "x", [3], hidden="h"),
    lambda cls: cls(),
    lambda cls: cls(1, 2, 3, 4),
    lambda cls: cls(1, unknown=2),
    lambda cls: cls(1) == cls(1, third=[7]),
    lambda cls: cls(1) == cls(2),
    lambda cls: cls(1) == (1, "two", [], "secret"),
    lambda cls: hash(cls(1)) == hash(cls(1, third=[7])),
    lambda cls: setattr(cls(1), "first", 2),
    lambda cls: delattr(cls(1), "first"),
    lambda cls: dataclasses.replace(cls(1), second="x").second,
    lambda cls: dataclasses.asdict(cls(1, third=[7])),
    lambda cls: [field.name for field in dataclasses.fields(cls)],
    lambda cls: cls.__match_args__,
    lambda cls: str(inspect.signature(cls)),
    lambda cls: cls(1).__slots__,
    lambda cls: cls(1) < cls(2),
)


@pytest.mark.parametrize("way", WAYS)
def test_it_does_what_the_standard_library_does(way: Callable[[Any], Any]) -> None:
    assert outcome(lambda: way(Ours)) == outcome(lambda: way(Theirs))


@given(first=st.integers(), second=st.text(), others=st.lists(st.integers()))
def test_two_are_equal_where_those_of_the_standard_library_are(first: int, second: str, others: list[int]) -> None:
    ours, theirs = Ours(first, second, others), Theirs(first, second, others)

    assert dataclasses.astuple(ours) == dataclasses.astuple(theirs)
    assert (ours == Ours(1, "two")) == (theirs == Theirs(1, "two"))
    assert hash(ours) == hash(theirs)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_it_can_be_copied_and_pickled(again: Callable[[Any], Any]) -> None:
    made = again(Ours(1, "x", [3], hidden="h"))

    assert (made, made.third, made.hidden) == (Ours(1, "x", hidden="h"), [3], "h")


def test_a_child_has_the_fields_of_both_and_is_never_equal_to_its_parent() -> None:
    assert (repr(Child(1, fourth=5.0)), Child(1) == Ours(1)) == ("Child(first=1, second='two', third=[], fourth=5.0)", False)


def test_what_is_ordered_is_compared_field_by_field() -> None:
    assert sorted([Ordered(2, "a"), Ordered(1, "b"), Ordered(1, "a")]) == [Ordered(1, "a"), Ordered(1, "b"), Ordered(2, "a")]
    assert Ordered(1, "a") <= Ordered(1, "a")


def test_what_is_not_frozen_can_be_set_and_not_hashed() -> None:
    value = Open(2)
    value.value = 7

    assert (value.value, value.double) == (7, 4)
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


def test_what_a_class_says_itself_is_kept() -> None:
    assert repr(Single(1)) == "the single 1"
    assert Single(1) != Single(1)


def test_a_method_is_compiled_when_it_is_first_asked_for() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        value: int

    before = type(vars(Fresh)["__init__"]).__name__
    made = Fresh(3)

    assert (before, inspect.isfunction(vars(Fresh)["__init__"]), made.value) == ("_AtFirstUse", True, 3)
    assert not inspect.isfunction(vars(Fresh)["__eq__"])


def test_what_makes_a_class_is_compiled_ahead_where_that_is_asked_for() -> None:
    @dataclass(frozen=True, slots=True)
    class Awaited:
        value: int

    compile_now(Awaited)

    assert inspect.isfunction(vars(Awaited)["__init__"])
    assert not inspect.isfunction(vars(Awaited)["__repr__"])


def test_every_dataclass_of_the_house_is_one_of_these() -> None:
    house = Path(zen_agents.__file__).parent
    others = [
        path.relative_to(house).as_posix()
        for path in house.rglob("*.py")
        if re.search(r"^from dataclasses import .*\bdataclass\b", path.read_text("utf-8"), re.M)
    ]

    assert others == []
