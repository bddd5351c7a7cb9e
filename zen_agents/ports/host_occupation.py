"""Who else works on this host, and whether it is about to end (R24): then nothing is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class OccupationView(Protocol):
    """The questions whether somebody else has the host; nothing is locked or started to find out."""

    def package_transaction(self) -> str:
        """Return which package manager is at work (`dpkg, pid 4242`), "" if none is.

        Asked before each action, so whoever has begun is told at once. That a process which was there before is nobody's run
        may be remembered for up to two seconds, here and for the next answer.
        """
        ...

    def configuration_run(self) -> str:
        """Return which configuration-management run is in progress (`puppet agent, pid 4242`), "" if none is.

        A daemon that waits for its next run does not count; puppet, ansible, chef and salt are looked for.
        """
        ...

    def cloud_init_pending(self) -> bool:
        """Tell whether cloud-init is to run on this boot and has not finished; False where it is not installed."""
        ...

    def leaving(self, marks: Sequence[str]) -> str:
        """Return what says that the host is drained or about to end, "" if nothing does.

        That is a shutdown which systemd has scheduled, or the first of these files that is there; never remembered.
        """
        ...
