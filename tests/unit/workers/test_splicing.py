"""What two readers do not agree about is never written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from zen_agents.datasets.records import Records
from zen_agents.datasets.repairs import UnrepairableError
from zen_agents.datasets.source import SourceOptions
from zen_agents.workers.duck import Unread
from zen_agents.workers.splicing import Special, Splice

TEXT = b"id,v\n1,a\n\n2,b\n3\n4,d\n"


class Plainly:
    """Rows of a text without quotes."""

    counts_blank = False

    def is_same(self, body: bytes, before: str) -> bool:
        return body == before.encode()

    def made(self, body: bytes, after: str) -> bytes:
        return after.encode()

    def key(self, body: bytes) -> bytes:
        return body

    def row(self, number: int, reason: str, body: bytes) -> None:
        """Forget it."""

    def line(self, unread: Unread, body: bytes) -> None:
        """Forget it."""


def spliced(special: Sequence[Special], unread: Sequence[Unread] = (), size: int = 100) -> tuple[bytes, Splice]:
    splice = Splice(
        Records(SourceOptions(delimiter=",", quote='"', escape='"')), Plainly(), iter(special), unread, Plainly()
    )
    pieces = [TEXT[at : at + size] for at in range(0, len(TEXT), size)]
    return b"".join(splice.pieces(pieces, header=None, has_header=True, drops_mark=False)), splice


@pytest.mark.parametrize("size", [1, 4, 9, 100])
def test_each_row_is_found_by_its_number_in_pieces_of_any_size(size: int) -> None:
    special = [Special(1, None, "2,b", "2,B", None), Special(2, "bad", "4,d", None, None)]
    text, splice = spliced(special, [Unread(5, 14, "3", "missing columns")], size)
    assert text == b"id,v\n1,a\n\n2,B\n"
    assert (splice.rows, splice.lines, splice.taken) == (3, 1, 2)


@pytest.mark.parametrize(
    ("special", "unread", "said"),
    [
        (Special(0, None, "9,a", "1,A", None), (), "row 1 is not found again"),
        (Special(7, None, "1,a", "1,A", None), (), "end before row 8"),
        (Special(0, None, "1,a", "1,A", None), (Unread(4, 13, "3", ""),), "line 4 is not found"),
        (Special(0, None, "1,a", "1,A", None), (Unread(5, 14, "4", ""),), "line 5 is not found"),
        (Special(0, None, "1,a", "1,A", None), (Unread(9, 99, "4", ""),), "end before"),
    ],
)
def test_a_row_that_is_another_than_the_one_that_was_read_ends_it(
    special: Special, unread: Sequence[Unread], said: str
) -> None:
    with pytest.raises(UnrepairableError, match=said):
        spliced([special], unread)
