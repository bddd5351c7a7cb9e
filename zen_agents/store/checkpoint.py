"""The format of the ledger's checkpoints, pure: what is signed, when, and how it stands in an entry.

A checkpoint is an entry of kind `engine` and id `checkpoint`, directly behind the entry that it signs. Its signature is
Ed25519 over the bytes of `signed_text`. Where one has to stand is part of the format, so that a signature that is missing
shows as well as one that is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from zen_agents.model.entry import Checkpoint, EntryKind

#: Id of the entry.
CHECKPOINT = "checkpoint"

#: Most entries between two checkpoints. It may grow, never shrink: older ledgers have to verify.
MOST_UNSIGNED = 200

#: What the engine does about itself that is signed at once, as all that a person does is.
_SIGNED_AT_ONCE = frozenset({"started", "stopped"})
# Asked of every entry: plain words compare in a tenth of the time.
_HUMAN, _ENGINE = EntryKind.HUMAN.value, EntryKind.ENGINE.value


def is_signed_at_once(kind: str, id: str) -> bool:
    """Tell whether a checkpoint follows directly behind such an entry."""
    return kind == _HUMAN or (kind == _ENGINE and id in _SIGNED_AT_ONCE)


def signed_text(seq: int, hash: str) -> bytes:
    """Return what the signature of a checkpoint is over: three lines, each with its line end."""
    return f"zen-agents ledger checkpoint v1\n{seq}\n{hash}\n".encode()


def key_id(public_key: bytes) -> str:
    """Return what a key is called: the beginning of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def checkpoint_body(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the body of a checkpoint's entry."""
    return {"seq": checkpoint.seq, "hash": checkpoint.hash, "key": checkpoint.key, "signature": checkpoint.signature}


def checkpoint_of(body: Mapping[str, Any]) -> Checkpoint:
    """Return what the body of a checkpoint's entry says; LookupError, TypeError or ValueError if it is none."""
    seq, texts = body["seq"], [body[name] for name in ("hash", "key", "signature")]
    if type(seq) is not int or not all(isinstance(text, str) for text in texts):
        raise ValueError("a checkpoint's values are of another type")
    return Checkpoint(seq, *texts)
