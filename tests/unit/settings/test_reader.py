"""YAML without traps: values as version 1.2 means them, each with its place, and no file that harms the reader."""

from __future__ import annotations

from typing import Any

import pytest

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node
from zen_agents.settings.reader import MAX_BYTES, read


def parsed(text: str | bytes) -> tuple[Node, Report]:
    report = Report()
    return read(text.encode() if isinstance(text, str) else text, "c.yaml", report), report


def values(text: str) -> Any:
    node, report = parsed(text)
    assert report.found == []
    return node.plain()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:30", "22:30"),
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("2026-11-21", "2026-11-21"),
        ("true", True),
        ("~", None),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 30, "9" * 30),
        ('"5"', "5"),
        ("!!str 5", "5"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    found = values(f"a: {written}\n")["a"]
    assert found == meant
    assert type(found) is type(meant)


def test_keys_are_words_whatever_they_look_like() -> None:
    assert values("on: 1\n8080: 2\ntrue: 3\n") == {"on": 1, "8080": 2, "true": 3}


def test_anchors_aliases_and_merge_keys_work_and_explicit_keys_win() -> None:
    text = "x-base: &base {every: 30s, check: {tcp: a}}\nweb:\n  <<: *base\n  every: 5s\nboth: {<<: [*base, {more: 1}]}\n"
    assert values(text) == {
        "web": {"every": "5s", "check": {"tcp": "a"}},
        "both": {"every": "30s", "check": {"tcp": "a"}, "more": 1},
    }


def test_notes_under_x_keys_are_free_anywhere() -> None:
    assert values("x-note: {anything: [1]}\na: {x-why: because, b: 1}\n") == {"a": {"b": 1}}


def test_every_value_keeps_its_place() -> None:
    node, _ = parsed("a:\n  - {b: one}\n  - 'two'\n")
    assert str(node.get("a", 0, "b").place) == "c.yaml:2:9"  # type: ignore[union-attr]
    assert node.get("a", 1).place.length == 5  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "ZC102"),
        ("a: !!python/object/apply:os.system [id]\n", "ZC004"),
        ("a: !!int five\n", "ZC004"),
        ("a: !custom 1\n", "ZC004"),
        ("a:\n\tb: 1\n", "ZC002"),
        ("a: */5 * * * *\n", "ZC003"),
        ("a: * * * * *\n", "ZC003"),
        ("a: @x\n", "ZC001"),
        ("a: [1\n", "ZC001"),
        ("a: 1\n---\nb: 2\n", "ZC001"),
        ("- a\n- b\n", "ZC001"),
        ("a: *nowhere\n", "ZC001"),
        ("a: &x [*x]\n", "ZC001"),
        ("? [a]\n: 1\n", "ZC001"),
        ("<<: 5\n", "ZC001"),
        (b"a: \xff\xfe\n", "ZC001"),
        ("a: \x00\n", "ZC001"),
        ("a: \x1b[31m\n", "ZC001"),
        ("a: " + "[" * 500, "ZC005"),
        ("- " * 500, "ZC005"),
        (b"#" * (MAX_BYTES + 1), "ZC005"),
    ],
)
def test_what_is_no_plain_map_is_refused_with_its_code(text: str | bytes, code: str) -> None:
    _, report = parsed(text)
    assert [diagnostic.code for diagnostic in report.found] == [code]


def test_an_alias_bomb_is_refused_before_it_unfolds() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    node, report = parsed(bomb)
    assert [diagnostic.code for diagnostic in report.found] == ["ZC005"]
    assert node.value == {}


def test_an_empty_file_is_an_empty_map() -> None:
    assert values("") == values("# nothing\n") == values("---\n") == {}
