"""The disk that the engine's own state is on is full."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.engines.base import AS_ALWAYS, Contender, Launch
from chaos.engines.zen import STATE
from chaos.host import DisposableHost
from chaos.kinds import VariantKind
from chaos.mail import mails
from chaos.scenario import Expectation
from chaos.variants.base import Variant
from chaos.waiting import NotInTimeError, wait_until

_FILLING = f"{STATE}/filling"
_TOLD_WITHIN_SECONDS = 30.0


class DiskFull(Variant):
    """The state is on a small file system of its own, and another program takes all that is left of it, at once.

    Once people were told, one of them makes room and lifts safe mode.
    """

    name = "disk_full"
    kind = VariantKind.DISK_FULL
    right_answer = (
        "what cannot be written down first is not done: safe mode, people are told once although the disk is full; "
        "as without it once there is room and a person has lifted safe mode"
    )

    def expectation(self, expected: Expectation) -> Expectation:
        return expected.model_copy(update={"pages": expected.pages + 1})

    def prepare(self, host: DisposableHost) -> Launch:
        host.run(["mkdir", "-p", STATE], check=True)
        host.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "state", STATE], check=True)
        return AS_ALWAYS

    def before(self, host: DisposableHost) -> None:
        host.run(["dd", "if=/dev/zero", f"of={_FILLING}", "bs=64k"])

    def meanwhile(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        amiss = []
        try:
            wait_until(lambda: mails(host), "a message", seconds=_TOLD_WITHIN_SECONDS, every=0.05)
        except NotInTimeError:
            amiss.append("nobody was told that the disk is full")
        amiss += [f"done without an intent on the disk: {done.action} {done.target}" for done in contender.actions()]
        host.run(["rm", _FILLING], check=True)
        contender.operate(("safe-mode", "off", "--reason", "the disk has room again"))
        return amiss
