"""The ledger's format: what is hashed is written down, and odd values neither fail nor vanish."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from zen_agents.store import ledger
from zen_agents.store.ledger import GENESIS, MOST_BODY_BYTES, canonical, clean_text, entry_hash, sealed


def nested_in_json(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
    )


WITHOUT_FLOATS = nested_in_json(st.none() | st.booleans() | st.integers() | st.text())
JSON = nested_in_json(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
TEXT = st.text()
MAYBE = st.none() | TEXT


def test_canonical_json_of_a_known_value() -> None:
    assert canonical({"b": [1, True, None], "a": "ü\n", "c": 0.5}) == '{"a":"ü\\n","b":[1,true,null],"c":0.5}'


@given(JSON)
def test_canonical_json_reads_back_and_is_stable(value: object) -> None:
    text = canonical(value)
    text.encode("utf-8")
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(TEXT, TEXT, MAYBE, MAYBE, st.integers(), st.integers())
def test_the_hash_is_over_the_documented_header(
    id: str, actor: str, incident: str | None, action: str | None, wall_us: int, steady_us: int
) -> None:
    body_hash = hashlib.sha256(b"{}").digest()
    header = {
        "action": action,
        "actor": actor,
        "body_hash": body_hash.hex(),
        "id": id,
        "incident": incident,
        "kind": "decision",
        "prev_hash": GENESIS.hex(),
        "seq": 1,
        "steady_us": steady_us,
        "wall_us": wall_us,
    }
    expected = hashlib.sha256(canonical(header).encode()).digest()
    assert entry_hash(GENESIS, 1, "decision", id, wall_us, steady_us, actor, incident, action, body_hash) == expected


@dataclass
class Odd:
    name: str


def test_odd_values_are_kept_as_text() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    body = {"nan": float("nan"), "odd": Odd("x"), "set": {"b", "a"}, 1: "number", "deep": cycle, "bytes": b"\xff"}
    text, hash = sealed(body)  # type: ignore[arg-type]
    read = json.loads(text)
    assert (read["nan"], read["odd"], read["set"], read["1"]) == ("nan", {"name": "x"}, ["a", "b"], "number")
    assert hash == hashlib.sha256(text.encode()).digest()


def test_bytes_that_are_no_utf_8_survive() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    text, _ = sealed({"name": name})
    assert text == '{"name":"caf\\udce9"}' and json.loads(text)["name"] == name
    assert clean_text(name) == "caf\\udce9" and clean_text("plain") == "plain" and clean_text("ü") == "ü"


@given(st.integers(1, 60), st.integers(1, 5000))
def test_a_body_is_never_larger_than_the_limit(keys: int, size: int) -> None:
    body = {f"key{number}": "ä" * size for number in range(keys)}
    text, hash = sealed(body)
    assert len(text.encode()) <= MOST_BODY_BYTES
    assert hash == hashlib.sha256(text.encode()).digest()
    whole = canonical(body).encode()
    if len(whole) > MOST_BODY_BYTES:
        read = json.loads(text)
        assert read["cut_from_bytes"] == len(whole) and read["cut_sha256"] == hashlib.sha256(whole).hexdigest()
    else:
        assert json.loads(text) == body


NAN = float("nan")


@dataclass
class Holding:
    value: object


def nested(depth: int, value: object) -> object:
    for _ in range(depth):
        value = [value]
    return value


def within(depth: int, text: str) -> str:
    return "[" * depth + text + "]" * depth


def loaded_anew() -> ModuleType:
    """Return the format as an interpreter makes it that has just started."""
    spec = importlib.util.find_spec(ledger.__name__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("in_c", [True, False], ids=["in C", "in Python"])
def test_every_interpreter_writes_the_same_json(in_c: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_c:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    written = loaded_anew().canonical
    assert written({"b": [1, True, None], "a": 'ü\n"', "c": 0.5}) == '{"a":"ü\\n\\"","b":[1,true,null],"c":0.5}'
    assert written({"set": {2, 1}, "odd": Odd("x"), "view": MappingProxyType({"z": 1, "y": 2}), "raw": b"\xff"}) == (
        '{"odd":{"name":"x"},"raw":"b\'\\\\xff\'","set":["1","2"],"view":{"y":2,"z":1}}'
    )
    assert written([NAN, float("inf"), 1e300]) == '["nan","inf",1e+300]'
    assert written({(1, 2): "no key is lost"}) == '{"(1, 2)":"no key is lost"}'
    many = list(range(60_000))
    assert written(many) == f"[{','.join(map(str, many))}]"


@pytest.mark.parametrize("around", [NAN, object], ids=["a number that is none", "a class"])
def test_what_json_knows_stays_as_it_is_beside_what_it_does_not(around: object) -> None:
    told = json.loads(
        canonical({"odd": around, "none": None, "yes": True, "count": 3, "share": 1.5, "zero": 0.0, "text": "x"})
    )
    del told["odd"]
    assert told == {"none": None, "yes": True, "count": 3, "share": 1.5, "zero": 0.0, "text": "x"}
    assert isinstance(told["share"], float)


@given(WITHOUT_FLOATS)
def test_canonical_json_is_what_pythons_own_encoder_writes(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("number", [1e16, 1e-05, 0.1, 5e-324, 1.7976931348623157e308])
def test_a_number_reads_back_as_it_was(number: float) -> None:
    assert json.loads(canonical([number])) == [number]


def test_a_number_that_is_none_is_not_lost_beside_nothing() -> None:
    assert canonical({"action": None, "value": NAN}) == '{"action":null,"value":"nan"}'
    assert canonical({"action": None, "text": "null", "value": 0.5}) == '{"action":null,"text":"null","value":0.5}'


def test_what_is_nested_too_deep_for_evidence_is_left_out_at_one_depth() -> None:
    assert canonical(nested(20, NAN)) == within(20, '"nan"')
    assert canonical(nested(21, NAN)) == within(21, '"..."')
    deep: Any = NAN
    for _ in range(21):
        deep = {"k": deep}
    assert canonical(deep) == '{"k":' * 21 + '"..."' + "}" * 21
    # An object counts as one level, what it holds as the next.
    assert canonical(Holding(nested(18, NAN))) == f'{{"value":{within(18, chr(34) + "nan" + chr(34))}}}'
    assert canonical(Holding(nested(19, NAN))) == f'{{"value":{within(19, chr(34) + "..." + chr(34))}}}'


def test_text_of_what_json_does_not_know_is_no_level_of_its_own() -> None:
    assert canonical([NAN, nested(19, 1j)]) == f'["nan",{within(19, chr(34) + "1j" + chr(34))}]'


def cut(body: dict[str, Any]) -> dict[str, Any]:
    text, _ = sealed(body)
    read: dict[str, Any] = json.loads(text)
    assert read.pop("cut_from_bytes") == len(canonical(body).encode())
    assert read.pop("cut_sha256") == hashlib.sha256(canonical(body).encode()).hexdigest()
    return read


def test_only_the_long_values_of_a_large_body_are_cut() -> None:
    # Canonical text of 2,000 characters, quotes included, is kept; one more is cut to 1,000 characters.
    body = {"kept": "x" * 1998, "cut": "y" * 1999, "large": list(range(20_000)), "small": {"a": [1]}}
    read = cut(body)
    assert read["kept"] == body["kept"] and read["small"] == body["small"]
    assert read["cut"] == '"' + "y" * 999 + "..."
    assert read["large"] == canonical(body["large"])[:1000] + "..."


def test_a_body_that_just_fits_is_whole() -> None:
    body = {"k": "x" * (MOST_BODY_BYTES - len('{"k":""}'))}
    assert sealed(body)[0] == canonical(body)
    assert "cut_from_bytes" in json.loads(sealed({"k": body["k"] + "x"})[0])


def test_a_body_of_too_many_values_is_kept_by_its_start() -> None:
    body = {f"é{number:05}": "ü" * 900 for number in range(60)}
    read = cut(body)
    assert read == {"start": canonical(body).encode()[:1000].decode("utf-8", "replace")}


@pytest.mark.parametrize("more", [0, 1])
def test_a_body_that_just_fits_when_cut_keeps_its_values(more: int) -> None:
    def body(filler: int) -> dict[str, Any]:
        many = {f"k{number:02}": "x" * 1900 for number in range(16)}
        return {**many, "filler": "f" * filler, "large": "y" * 5000}

    def size(filler: int) -> int:
        large = {"large": '"' + "y" * 999 + "...", "cut_from_bytes": len(canonical(body(filler))), "cut_sha256": "0" * 64}
        return len(canonical(body(filler) | large))

    filler = 100 + MOST_BODY_BYTES - size(100) + more
    assert size(filler) == MOST_BODY_BYTES + more
    text, _ = sealed(body(filler))
    assert ("start" in json.loads(text)) == bool(more)
    assert more or len(text) == MOST_BODY_BYTES
