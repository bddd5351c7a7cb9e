"""A file that others delivered beside good ones, in which nothing is as it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_text, files_below, struck

_GOOD_DAYS: Final = ("day-1.csv", "day-2.csv")
_BAD_DAY: Final = "day-3.csv"


@dataclass(frozen=True, slots=True)
class BadDelivery(Fault):
    """The third file of a directory comes whole, by a rename, and its amounts are no numbers; nobody could mend it.

    Gone means: nobody who reads the directory finds it, and the good ones are there.
    """

    name = "bad_delivery"

    folder: str = "/srv/inbox"
    #: Where it is until it is delivered, and where a person puts it who takes it out again.
    outside: str = "/srv/sent"
    #: Where whole files lie that were taken out, by whatever names.
    quarantine: str = "/var/lib/zen-agents/quarantine"
    rows: int = 500

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", self.folder, self.outside], check=True)
        for name in _GOOD_DAYS:
            host.write_file(f"{self.folder}/{name}", self._text("{}.50"))
        host.write_file(f"{self.outside}/{_BAD_DAY}", self._bad)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("rename", f"{self.outside}/{_BAD_DAY}", f"{self.folder}/{_BAD_DAY}"))

    def is_gone(self, host: DisposableHost) -> bool:
        return not file_text(host, f"{self.folder}/{_BAD_DAY}") and not self._changed(host)

    def traces(self) -> Sequence[str]:
        return (f"file {self.folder}", f"file {self.folder}/{_BAD_DAY}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        gone = [] if any(text == self._bad for text in self._where_it_may_be(host)) else [_BAD_DAY]
        return [f"{name} is nowhere as it was" for name in (*self._changed(host), *gone)]

    def _changed(self, host: DisposableHost) -> list[str]:
        good = self._text("{}.50")
        return [name for name in _GOOD_DAYS if file_text(host, f"{self.folder}/{name}") != good]

    def _where_it_may_be(self, host: DisposableHost) -> Iterator[str]:
        for folder in (self.folder, self.outside):
            yield file_text(host, f"{folder}/{_BAD_DAY}")
        for path in files_below(host, self.quarantine):
            yield file_text(host, path)

    @property
    def _bad(self) -> str:
        return self._text("order {}")

    def _text(self, amount: str) -> str:
        return "id,amount\n" + "".join(f"{number},{amount.format(number)}\n" for number in range(self.rows))
