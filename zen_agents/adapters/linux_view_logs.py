"""What was written: to logs, to the journal and by the kernel; what reads it is loaded by the first question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zen_agents.adapters.linux_view_identity import IdentityLook

if TYPE_CHECKING:
    from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest
    from zen_agents.ports.host_processes import Process
    from zen_agents.ports.host_resources import Mount


class LogLook(IdentityLook):
    """Part of `LinuxView`: implements `LogView`, `JournalView` and `KernelView`."""

    def journal_entries(self) -> int:
        """Return the number of the newest entry of the system's journal; HostError without one."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - only hosts that list it

        return self._once("entries", lambda: journal.newest_entry(self.machine_id(), self._host.root))

    def journal_share(self, most: int) -> Mapping[str, int]:
        """Return how many of the newest entries each unit has written."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - as above

        return self._once(("share", most), lambda: journal.share(most))

    def log_limit(self, unit: str) -> int | None:
        """Return to how many lines a second the engine limited a unit, None if it did not."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - as above

        return journal.limit_of(unit, self._host.root)

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        """Return what was written to a log since the checkpoint; never remembered."""
        return self._host.logs.new_lines(request, checkpoint)

    def begin_catch_up(self, name: str, request: LogRequest, checkpoint: Checkpoint | None, job: str) -> None:
        """Have a worker read on for some seconds."""
        self._host.logs.catch_ups.begin(name, request, checkpoint, job)

    def catch_up(self, name: str) -> CatchUp | None:
        """Return how far that worker is."""
        return self._host.logs.catch_ups.state(name)

    def kernel_stack(self, process: Process) -> Sequence[str]:
        """Return the functions of the kernel that a process is in, the innermost first."""
        from zen_agents.adapters import linux_view_kernel as kernel  # noqa: PLC0415 - as above

        return kernel.stack_of(process, self._host.proc_root)

    def file_system_errors(self, mount: Mount) -> Sequence[str]:
        """Return what the kernel has said about errors of a file system since it was last mounted."""
        from zen_agents.adapters import linux_view_kernel as kernel  # noqa: PLC0415 - as above

        return self._once(("errors", mount), lambda: kernel.errors_of(mount))
