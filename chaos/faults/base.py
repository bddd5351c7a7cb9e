"""What every fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from chaos.host import DisposableHost


class Fault(ABC):
    """One thing that goes wrong, done for real; a frozen dataclass whose fields are its parameters in a scenario.

    It reaches the host through `DisposableHost` alone, so nothing of it happens outside. What it has to remember between
    two calls stands in the host, below `REMEMBERED`.
    """

    #: Of `method:` in a scenario; what happened, not what is to be done about it.
    name: ClassVar[str]
    #: Programs that it takes of the machine, whatever its parameters.
    programs: ClassVar[tuple[str, ...]] = ()
    #: Not watched by any fingerprint.
    REMEMBERED: ClassVar[str] = "/run/chaos"

    @abstractmethod
    def prepare(self, host: DisposableHost) -> None:
        """Make what is there before anything goes wrong, and all of the fault that takes long; no engine runs yet."""

    def may_happen(self, host: DisposableHost) -> bool:  # noqa: ARG002 - most can always
        """Tell whether an engine has done what it does while all is well, as to copy what it is to restore.

        Waited for before anything else goes wrong, and not for ever: one that does no such thing is struck all the same.
        """
        return True

    @abstractmethod
    def inject(self, host: DisposableHost) -> float | None:
        """Make it go wrong; an error if it has had no effect.

        Return the monotonic moment at which it took effect, as `chaos.workload.struck` does, or None: then time counts
        from the call, with all that it takes to get there.
        """

    def again(self, host: DisposableHost) -> None:
        """Make it go wrong once more, so that what is to be mended is no longer what it was; here the same once more."""
        self.inject(host)

    @abstractmethod
    def is_gone(self, host: DisposableHost) -> bool:
        """Tell whether all is well again, looking from outside and asking no engine; it is asked every few milliseconds."""

    def takes(self) -> Sequence[str]:
        """Return the programs that it takes of the machine; where one is absent, what it is about is not shown."""
        return self.programs

    def why_not(self) -> str:
        """Return what else this machine lacks for it to be shown, "" for nothing."""
        return ""

    @property
    def ends_by_itself(self) -> bool:
        """Whether it passes once it was bridged: then it is not there again when all that was done is undone."""
        return False

    def traces(self) -> Sequence[str]:
        """Return what it changes itself, as patterns of subjects of the fingerprint: it may differ until it is gone."""
        return ()

    def harm(self, host: DisposableHost) -> Sequence[str]:  # noqa: ARG002 - most can only be made worse by other changes
        """Return what a repair must never have done and did, one sentence each."""
        return ()
