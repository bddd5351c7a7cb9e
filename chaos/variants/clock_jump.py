"""The wall clock jumps, under the engine's feet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from chaos.engines.base import Contender, Launch
from chaos.host import DisposableHost
from chaos.scenario import VariantKind
from chaos.variants.base import Variant
from chaos.waiting import pause

_LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_CLOCK = "/run/chaos/clock"
_DAY_SECONDS = 86400.0
#: libfaketime reads the file so seldom; each time the engine asks for the time would be a hundred times slower.
_SEEN_AFTER_SECONDS = 1
#: A look that began before the jump may end after the fault and have seen it: what it saw bears the moment it began.
_LONGEST_LOOK_SECONDS = 1.0


class _ClockJump(Variant):
    """libfaketime in the engine's process: its wall clock alone jumps, the monotonic clock goes on as the kernel's does."""

    kind = VariantKind.CLOCK_JUMP
    right_answer = "as without it: no burst of actions, nothing put off for a day; that the clock jumped may be told as well"
    takes: ClassVar[Mapping[str, str]] = {_LIBRARY: "faketime"}
    jump: ClassVar[str]

    def prepare(self, host: DisposableHost) -> Launch:
        host.write_file(_CLOCK, "+0\n")
        settings = {"LD_PRELOAD": _LIBRARY, "FAKETIME_TIMESTAMP_FILE": _CLOCK, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return Launch(environment={**settings, "FAKETIME_CACHE_DURATION": str(_SEEN_AFTER_SECONDS)})

    def before(self, host: DisposableHost) -> None:
        host.write_file(_CLOCK, f"{self.jump}\n")
        pause(_SEEN_AFTER_SECONDS + _LONGEST_LOOK_SECONDS)

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        return [subject for subject in subjects if ": clock bad for" not in subject]

    def shortfalls(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        seen = contender.timeline().detected_at
        now = float(host.run(["date", "+%s.%N"], check=True).stdout)
        met = seen is not None and abs(seen - self.clock_ahead_seconds - now) < _DAY_SECONDS / 2
        return () if met else ["its clock did not jump"]


class ClockJumpForward(_ClockJump):
    """A day ahead."""

    name = "clock_jump_forward"
    jump = "+1d"
    clock_ahead_seconds = _DAY_SECONDS


class ClockJumpBack(_ClockJump):
    """A day back."""

    name = "clock_jump_back"
    jump = "-1d"
    clock_ahead_seconds = -_DAY_SECONDS
