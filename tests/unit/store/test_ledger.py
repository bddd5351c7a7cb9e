"""The ledger's format: what is hashed is written down, and odd values neither fail nor vanish."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import given

from zen_agents.store.ledger import GENESIS, MOST_BODY_BYTES, canonical, clean_text, entry_hash, sealed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
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
