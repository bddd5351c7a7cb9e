"""The wall clock jumps, under the engine's feet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from chaos.engines.base import Contender, Launch
from chaos.host import DisposableHost
from chaos.kinds import VariantKind
from chaos.variants.base import Variant
from chaos.waiting import pause
from chaos.workload import INSIDE

_SOURCE = INSIDE / "clock_jump.c"
_LIBRARY, _CLOCK = "/run/chaos/clock_jump.so", "/run/chaos/clock"
_DAY_SECONDS = 86400.0
#: A look that began before the jump may end after the fault and have seen it: what it saw bears the moment it began.
_LONGEST_LOOK_SECONDS = 1.0


class _ClockJump(Variant):
    """A library in the engine's process: its wall clock alone jumps, the kernel's goes on, and so do the times of files."""

    kind = VariantKind.CLOCK_JUMP
    right_answer = "as without it: no burst of actions, nothing put off for a day; that the clock jumped may be told as well"
    takes: ClassVar[Mapping[str, str]] = {"/usr/bin/cc": "gcc", "/usr/include/stdlib.h": "libc6-dev"}

    def prepare(self, host: DisposableHost) -> Launch:
        host.write_file(_CLOCK, _shown(0))
        source = _SOURCE.read_text(encoding="utf-8")
        host.run(["cc", "-shared", "-fPIC", "-O2", "-o", _LIBRARY, "-x", "c", "-"], text_in=source, check=True)
        return Launch(environment={"LD_PRELOAD": _LIBRARY, "CHAOS_CLOCK": _CLOCK})

    def before(self, host: DisposableHost) -> None:
        # In place: the engine has mapped the file.
        host.run(["dd", f"of={_CLOCK}", "conv=notrunc"], text_in=_shown(int(self.clock_ahead_seconds)), check=True)
        pause(_LONGEST_LOOK_SECONDS)

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        return [subject for subject in subjects if ": clock bad" not in subject]

    def shortfalls(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        # Who has mapped it reads the clock by it.
        mapped = host.run(["sh", "-c", f"grep --quiet ' {_CLOCK}$' /proc/[0-9]*/maps"]).returncode == 0
        return () if mapped else ["its clock did not jump"]


def _shown(seconds: int) -> str:
    return f"{seconds:020}"


class ClockJumpForward(_ClockJump):
    """A day ahead."""

    name = "clock_jump_forward"
    clock_ahead_seconds = _DAY_SECONDS


class ClockJumpBack(_ClockJump):
    """A day back."""

    name = "clock_jump_back"
    clock_ahead_seconds = -_DAY_SECONDS
