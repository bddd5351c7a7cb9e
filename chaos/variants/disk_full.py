"""The disk that the engine's own state is on is full."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.engines.base import AS_ALWAYS, Contender, Launch
from chaos.engines.zen import STATE
from chaos.host import DisposableHost
from chaos.scenario import VariantKind
from chaos.variants.base import Variant

_FILLING = f"{STATE}/filling"


class DiskFull(Variant):
    """The state is on a small file system of its own, and another program has taken all that was left of it."""

    name = "disk_full"
    kind = VariantKind.DISK_FULL
    right_answer = "as without it: room for the intent, the outcome and the message is kept aside; the ledger verifies"

    def prepare(self, host: DisposableHost) -> Launch:
        host.run(["mkdir", "-p", STATE], check=True)
        host.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "state", STATE], check=True)
        return AS_ALWAYS

    def before(self, host: DisposableHost) -> None:
        host.run(["dd", "if=/dev/zero", f"of={_FILLING}", "bs=64k"])
        host.run(["dd", "if=/dev/zero", f"of={_FILLING}.2", "bs=1"])

    def shortfalls(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        filled = host.run(["test", "-s", _FILLING]).returncode == 0
        return () if filled else ["the disk was not full, or what filled it was removed"]
