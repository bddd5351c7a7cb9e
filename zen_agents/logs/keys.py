"""The values that lines are told apart by, and a table of them that stays small whoever chooses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

#: The values of the fields of `by:`, in their order.
Key = tuple[str, ...]

#: So many keys one detector keeps at most.
MOST_KEYS = 10_000
#: A longer value (characters) is kept as its beginning and a digest of the whole, so that two of them stay two keys.
LONGEST_VALUE = 128
_BEGINNING = 92
_DIGEST_BYTES = 16

State = TypeVar("State")


def key_of(fields: Mapping[str, str], by: Sequence[str]) -> Key | None:
    """Return the key of a line; None if it lacks one of the fields, for then nobody knows to whom it belongs."""
    values: list[str] = []
    for name in by:
        value = fields.get(name)
        if value is None:
            return None
        values.append(value if len(value) <= LONGEST_VALUE else _shortened(value))
    return tuple(values)


def _shortened(value: str) -> str:
    digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{value[:_BEGINNING]}…#{digest}"


class KeyTable(Generic[State]):
    """Something about each of a bounded number of keys; one that is new may cost another its place.

    The least useful loses it: of those with the lowest weight, the one that was kept the longest ago. The weight is how
    many hits speak for a key, plus the weight that the last forgotten one had (LFU with dynamic aging: Arlitt et al.,
    "Evaluating content management techniques for web proxy caches", 2000), but a hit adds no more than one to what a key
    weighed before. So keys that once were frequent grow old without a clock that a line could move, and **to have a key
    forgotten for which c hits speak, more than c hits of other keys are needed for each of the other places** (c x 9,999
    in a table of 10,000): each hit weighs one, in one place. A step takes constant time on average.
    """

    def __init__(self, most: int = MOST_KEYS) -> None:
        if most < 1:
            raise ValueError("a table needs room for a key")
        self._most = most
        self._rows: dict[Key, tuple[State, int]] = {}
        #: The keys of each weight, the one that was kept the longest ago first.
        self._weights: dict[int, dict[Key, None]] = {}
        #: The weight of the last one that was forgotten; nobody weighs less.
        self._age = 0
        #: How many keys lost their place since the table was made.
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._rows)

    def items(self) -> Iterator[tuple[Key, State]]:
        """Yield every key with its state, without an order that means anything."""
        return ((key, state) for key, (state, _) in self._rows.items())

    def get(self, key: Key) -> State | None:
        """Return the state of a key, None if it is not kept."""
        row = self._rows.get(key)
        return None if row is None else row[0]

    def keep(self, key: Key, state: State, hits: int) -> tuple[Key, State] | None:
        """Keep a key (again) for which so many hits (at least 1) speak; return what had to be forgotten for that."""
        lost, most = None, None
        if key in self._rows:
            # Else the age that some keys brought about would count for others at their next hit as well.
            most = self._rows[key][1] + 1
            self._unweigh(key)
        elif len(self._rows) >= self._most:
            lost = self._forget_one()
        weight = self._age + max(1, hits)
        weight = weight if most is None else min(weight, most)
        self._rows[key] = (state, weight)
        self._weights.setdefault(weight, {})[key] = None
        return lost

    def drop(self, key: Key) -> None:
        """Give up a key about which there is nothing to remember."""
        self._unweigh(key)
        del self._rows[key]

    def ascending(self) -> Iterator[tuple[Key, State]]:
        """Yield every key in the order in which they would be forgotten."""
        return ((key, self._rows[key][0]) for weight in sorted(self._weights) for key in self._weights[weight])

    def _unweigh(self, key: Key) -> None:
        weight = self._rows[key][1]
        keys = self._weights[weight]
        del keys[key]
        if not keys:
            del self._weights[weight]

    def _forget_one(self) -> tuple[Key, State]:
        while self._age not in self._weights:
            self._age += 1
        key = next(iter(self._weights[self._age]))
        state = self._rows[key][0]
        self.drop(key)
        self.forgotten += 1
        return key, state
