"""Checks the signatures of a ledger: each is over what stands before it, by a key that counts, and none is missing."""

from __future__ import annotations

import json
from itertools import pairwise

from zen_agents.adapters.audit_key import PublicKeys
from zen_agents.store.checkpoint import CHECKPOINT, MOST_UNSIGNED, checkpoint_of, is_signed_at_once


class BrokenError(Exception):
    """An entry that does not verify: number, problem, expected, got."""

    def __init__(self, seq: int, problem: str, expected: str = "", got: str = "") -> None:
        super().__init__(problem)
        self.seq, self.problem, self.expected, self.got = seq, problem, expected, got


class Signatures:
    """What one walk along the ledger finds of checkpoints."""

    def __init__(self, keys: PublicKeys | None) -> None:
        self._keys = keys
        #: Numbers of the checkpoints' entries, and of those that have to be signed at once, in order.
        self._made: list[int] = []
        self._owed: list[int] = []
        #: Ids of the keys that signed, in the order of their first checkpoint.
        self.by: dict[str, None] = {}

    @property
    def upto(self) -> int:
        """Number of the last entry that is signed, 0 if none is."""
        return self._made[-1] - 1 if self._made else 0

    @property
    def count(self) -> int:
        """How many checkpoints there are."""
        return len(self._made)

    def note(self, seq: int, kind: str, id: str, body: bytes | None, before: bytes) -> None:
        """Look at an entry of a person or the engine, `before` being the hash of the one before it; raises BrokenError."""
        if id == CHECKPOINT:
            self._check(seq, body or b"", before.hex())
        elif is_signed_at_once(kind, id):
            self._owed.append(seq)

    def go_on_with(self, leg: Signatures) -> None:
        """Take over what the next leg found."""
        self._made += leg._made
        self._owed += leg._owed
        self.by |= leg.by

    def require(self, last: int) -> None:
        """Raise BrokenError for the first signature that is missing in a ledger whose last entry has the number `last`."""
        if not self._made:
            if self._keys is not None and last:
                raise BrokenError(1, "nothing is signed, though there is a key", _ids(self._keys))
            return
        missing = [seq + 1 for seq in self._owed if seq > self._made[0]]
        missing += [
            one + MOST_UNSIGNED + 1 for one, next in pairwise([*self._made, last + 1]) if next - one > MOST_UNSIGNED + 1
        ]
        made = frozenset(self._made)
        if absent := min((seq for seq in missing if seq not in made), default=None):
            raise BrokenError(
                absent, f"no signature stands where one has to, all up to entry {self._before(absent)} are signed"
            )

    def _check(self, seq: int, body: bytes, before: str) -> None:
        try:
            checkpoint = checkpoint_of(json.loads(body))
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise BrokenError(seq, f"it is no checkpoint: {error}") from error
        told = f"what was signed is not what stands before it, behind entry {self.upto}"
        if checkpoint.seq != seq - 1:
            raise BrokenError(seq, told, f"entry {seq - 1}", f"entry {checkpoint.seq}")
        if checkpoint.hash != before:
            raise BrokenError(seq, told, checkpoint.hash, before)
        if self._keys is not None and checkpoint.key not in self._keys.by_id:
            problem = f"it is signed by another key; all up to entry {self.upto} are signed by one that counts"
            raise BrokenError(seq, problem, _ids(self._keys), checkpoint.key)
        if self._keys is not None and not self._keys.verifies(checkpoint):
            raise BrokenError(seq, f"its signature is forged; all up to entry {self.upto} are signed")
        self._made.append(seq)
        self.by.setdefault(checkpoint.key)

    def _before(self, seq: int) -> int:
        return max(made for made in self._made if made < seq) - 1


def _ids(keys: PublicKeys) -> str:
    return " or ".join(keys.by_id)
