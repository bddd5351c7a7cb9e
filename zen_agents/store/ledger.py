"""The ledger's format, pure: what is hashed, and how.

An entry's body is kept as canonical JSON: UTF-8, keys sorted, no spaces, no NaN. For strings, integers, booleans and null
this is RFC 8785 (JCS); floats have the fewest digits that read back as the same number. `body_hash` is SHA-256 over exactly
those bytes. The entry's header is the canonical JSON object with the keys

    action actor body_hash id incident kind prev_hash seq steady_us wall_us

(hashes in lower-case hex) and `hash` is SHA-256 over the header. The first entry's `prev_hash` is `GENESIS`. Retention may
drop a body; its hash stays in the header, so the chain verifies for ever. Every place at which bodies were dropped is an
entry itself (`PRUNED`), so that a body removed by hand is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from math import isfinite
from typing import Any

#: What the first entry is chained to; names the format's version.
GENESIS = sha256(b"zen-agents ledger v1").digest()

#: Id of the engine's entry that says which bodies retention dropped.
PRUNED = "ledger_pruned"

#: A body larger than this is cut, with its size and hash said in it.
MOST_BODY_BYTES = 32_768

#: In a body that is too large, values longer than this are cut.
_MOST_VALUE_CHARS = 2_000
_START_CHARS = 1_000


def canonical(value: object) -> str:
    """Return canonical JSON of plain values; what JSON does not know is written as text. Never raises for odd values."""
    return _canonical_bytes(value).decode()


@cache
def _fast_encoder() -> tuple[Callable[..., bytes], int]:
    """Return what encodes plain values, and its options; kept, since even an import that finds its module takes a while."""
    import orjson  # noqa: PLC0415  only who writes needs it; a command that looks starts without

    # Dataclasses and moments as Python's own encoder has them: through `_as_json`.
    return orjson.dumps, orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def _canonical_bytes(value: object) -> bytes:
    dumps, options = _fast_encoder()
    try:
        found = dumps(value, _as_json, options)
    except (TypeError, ValueError, RecursionError):
        return _canonical_of_odd(value)
    # It writes NaN as null, and so loses what it was.
    return _canonical_of_odd(value) if b"null" in found and not _is_plain(value) else found


def _is_plain(value: object) -> bool:
    """Tell whether there are only values that JSON has; whatever holds others is taken for odd."""
    if value is None or isinstance(value, str | int):
        return True
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return isinstance(value, list | tuple) and all(map(_is_plain, value))


def _canonical_of_odd(value: object) -> bytes:
    """Return canonical JSON of what may have numbers or keys that JSON has not; ten times slower."""
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        # Keys that cannot be sorted, NaN, a cycle: evidence is kept as text rather than lost.
        text = _ENCODER.encode(_plain(value, depth=0))
    # File names may hold bytes that are no UTF-8 (lone surrogates): backslashreplace turns them into JSON escapes.
    return text.encode("utf-8", "backslashreplace")


def sealed(body: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return a body's canonical JSON, cut to `MOST_BODY_BYTES`, and its hash."""
    raw = _canonical_bytes(body)
    if len(raw) > MOST_BODY_BYTES:
        raw = _cut(body, raw).encode()
    return raw.decode(), sha256(raw).digest()


def entry_hash(
    prev_hash: bytes,
    seq: int,
    kind: str,
    id: str,
    wall_us: int,
    steady_us: int,
    actor: str,
    incident: str | None,
    action: str | None,
    body_hash: bytes,
) -> bytes:
    """Return the hash of an entry over its header."""
    return sha256(
        f'{{"action":{quoted(action) if action is not None else "null"},"actor":{quoted(actor)},'
        f'"body_hash":"{body_hash.hex()}","id":{quoted(id)},'
        f'"incident":{quoted(incident) if incident is not None else "null"},"kind":{quoted(kind)},'
        f'"prev_hash":"{prev_hash.hex()}","seq":{seq},"steady_us":{steady_us},"wall_us":{wall_us}}}'.encode()
    ).digest()


def clean_text(text: str) -> str:
    """Return text that can be stored: bytes that were no UTF-8 become visible escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _as_json(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_as_json)


def _plain(value: object, depth: int) -> object:
    if depth > 20:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    plainer = _as_json(value)
    return plainer if isinstance(plainer, str) else _plain(plainer, depth + 1)


def _cut(body: Mapping[str, Any], raw: bytes) -> str:
    told = {"cut_from_bytes": len(raw), "cut_sha256": sha256(raw).hexdigest()}
    short = {str(key): _start_of(value) for key, value in body.items()} | told
    text = canonical(short)
    if len(text.encode()) <= MOST_BODY_BYTES:
        return text
    return canonical({"start": raw[:_START_CHARS].decode("utf-8", "replace"), **told})


def _start_of(value: object) -> object:
    text = canonical(value)
    return value if len(text) <= _MOST_VALUE_CHARS else text[:_START_CHARS] + "..."
