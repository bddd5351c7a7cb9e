"""One simulated life: the real runtime on a simulated machine, from its seed to the oracle's verdict.

Everything is drawn from the seed, and nothing but the seed decides: the same seed leaves the same ledger, byte for byte.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NoReturn
from unittest import mock

from chaos.invariants import Violation, violations
from chaos.simulation import people
from chaos.simulation.faults import FAULTS, Fault
from chaos.simulation.liveness import owed, undelivered
from chaos.simulation.loading import remembered
from chaos.simulation.loop import VirtualLoop, bury
from chaos.simulation.machine import SimulatedMachine
from chaos.simulation.pager import Pager
from chaos.simulation.site import REPAIRABLE, configuration, make_host, temper
from chaos.simulation.store_faults import StoreFault, cut_off, put_under
from chaos.simulation.surroundings import heard, only_its_own_garbage
from chaos.simulation.time import SimulatedTime
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.errors import SettingsError
from zen_agents.runtime.runtime import Runtime
from zen_agents.store import failpoint
from zen_agents.wiring.options import Options

HOUR = 3600.0
Happening = Callable[[], Awaitable[None]]
#: Something that happens: after so many seconds, called so.
Event = tuple[float, str, Happening]
#: Trouble begins and ends within this share of the time; the rest is calm.
_TROUBLED = 0.6
#: What is owed when the time is over may take so much longer (seconds); patience is a quarter of an hour.
_GRACE = 2 * HOUR
_PID = 4242


class EngineKilled(SystemExit):
    """The engine's process is gone: nothing more of it runs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one life."""

    seed: int
    hours: float
    violations: tuple[Violation, ...]
    actions: int
    #: Items that the pager took, of every kind.
    told: int
    engines: int
    #: What happened, in order, to read beside the ledger.
    events: tuple[str, ...]


@dataclass
class Life:
    """One host, one state, and one engine after the other."""

    seed: int
    #: A directory of its own; made anew.
    folder: Path
    hours: float = 1.0
    troubled: bool = True
    #: What may go wrong.
    faults: tuple[Fault, ...] = FAULTS
    events: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.host = make_host(self.seed, _PID)
        self.time, self.pager, self.store_fault = SimulatedTime(self.host), Pager(), StoreFault()
        self.machine = SimulatedMachine(self.host, self.pager, self.folder)
        self.state = self.folder / "state"
        self.flag = EmergencyFlag(self.state, host_flag=self.folder / "host-flag")
        self.engines, self._lived, self._over = 0, 0.0, False
        self._cut_off: Callable[[], object] = lambda: None
        self._temper = temper(self.chance)
        self._script = self._drawn() if self.troubled else []
        self._faults_of_the_engine: list[Violation] = []
        self._dead: list[VirtualLoop] = []
        self._asked: set[asyncio.Task[None]] = set()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        (self.folder / "key").write_text("0123456789abcdef0123456789abcdef")
        (self.folder / "key").chmod(0o600)
        self.configure("whole")

    # -- what people and faults use -----------------------------------------------------------------------------------
    def configure(self, how: str) -> None:
        """Write a configuration for the next start or reload."""
        safer: dict[str, dict[str, Any]] = {
            "observe": {"mode": "observe"},
            "broken": {"agents": []},
            "approve": {"mode": "approve"},
        }
        left_out = REPAIRABLE[-1] if how == "short" else ""
        text = configuration(str(self.folder / "key"), without=left_out, **(self._temper | safer.get(how, {})))
        (self.folder / "config.yaml").write_text(text)
        (self.folder / "config.yaml").chmod(0o600)

    def kill(self) -> NoReturn:
        """Kill the engine."""
        self._cut_off()
        raise EngineKilled

    def arm(self, at: str) -> None:
        """Arm a failpoint."""
        failpoint.arm(at)

    def disarm(self) -> None:
        """Disarm it."""
        failpoint.arm(None)

    # -- life ---------------------------------------------------------------------------------------------------------
    def run(self) -> Verdict:
        """Live it to its end and judge it."""
        with self._in_force():
            while not self._over:
                self._one_engine()
            found = [*self._faults_of_the_engine, *violations(self.state, host=self.host)]
            bury(self._dead)
        return Verdict(
            self.seed,
            self.hours,
            tuple(found),
            len(self.host.doors),
            len(self.pager.delivered),
            self.engines,
            tuple(self.events),
        )

    @contextmanager
    def _in_force(self) -> Iterator[None]:
        ids = Random(self.seed)
        random.seed(self.seed)
        with ExitStack() as stack:
            stack.enter_context(self.time.in_force())
            stack.enter_context(only_its_own_garbage())
            stack.enter_context(heard(self._faults_of_the_engine))
            stack.enter_context(remembered())
            stack.enter_context(mock.patch("os.urandom", ids.randbytes))
            # `SystemRandom` has a name of its own for it.
            stack.enter_context(mock.patch("random._urandom", ids.randbytes))
            stack.enter_context(mock.patch("os.getpid", lambda: _PID))
            stack.enter_context(mock.patch("os.kill", lambda *_: self.kill()))
            stack.callback(self.disarm)
            yield

    def _one_engine(self) -> None:
        self.engines += 1
        loop = VirtualLoop(self._passes)
        loop.set_exception_handler(lambda *_: None)
        self._dead.append(loop)
        self._cut_off = lambda: None
        runtime: Runtime | None = None
        try:
            runtime = Runtime.load(Options((self.folder / "config.yaml",), self.state), self.machine)
            runtime.open()
            runtime.parts.random = Random(self.seed)
            self.runtime, self._cut_off = runtime, put_under(runtime.store, self.store_fault)
            loop.run_until_complete(self._live(runtime))
            self._over = True
        except SettingsError:
            self._note("somebody corrects the configuration")
            self.configure("whole")
        except EngineKilled:
            self._note("the engine is dead")
        if runtime is not None:
            if hasattr(runtime, "store"):
                cut_off(runtime.store)
            runtime.state.release()
        if not self._over:
            self._passes(self.chance.choice([1.0, 10.0, 100.0]))

    async def _live(self, runtime: Runtime) -> None:
        self.operator = runtime.operator()
        await runtime.start()
        while self._script:
            at, name, happen = self._script[0]
            await asyncio.sleep(max(0.0, at - self._lived))
            self._script.pop(0)
            self._note(name)
            await happen()
        await asyncio.sleep(max(0.0, self.hours * HOUR - self._lived))
        await self._see_to_the_end(runtime)
        await runtime.close("it is over")

    async def _see_to_the_end(self, runtime: Runtime) -> None:
        """Wait until nothing is owed to anybody; name what still is when even the grace is over."""
        until = self._lived + _GRACE
        while self._owed(runtime) and self._lived < until:  # noqa: ASYNC110 - the host is looked at, not told
            await asyncio.sleep(60.0)
        self._faults_of_the_engine += [Violation("liveness", each) for each in self._owed(runtime)]

    def _owed(self, runtime: Runtime) -> list[str]:
        return [*owed(self.host, runtime), *undelivered(runtime)]

    def _passes(self, seconds: float) -> None:
        self._lived += seconds
        self.time.passes(seconds)

    def _note(self, what: str) -> None:
        self.events.append(f"{self._lived:9.3f} {what}")

    # -- the script ---------------------------------------------------------------------------------------------------
    def _drawn(self) -> list[Event]:
        chance, end = self.chance, self.hours * HOUR * _TROUBLED
        script: list[Event] = []
        for _ in range(chance.randint(3, max(4, round(24 * self.hours)))):
            at = chance.uniform(5.0, end)
            if chance.random() < 0.7:
                fault, lasts = chance.choice(self.faults), chance.choice([5.0, 60.0, 300.0, 1200.0])
                script.append((at, fault.__name__, self._breaks(fault, min(at + lasts, end), Random(chance.random()))))
            else:
                deed = chance.choice(people.DEEDS)
                script.append((at, deed.__name__, self._does(deed, Random(chance.random()))))
        script.append((end, "all faults end", self._all_ends))
        return sorted(script, key=lambda each: each[0])

    def _breaks(self, fault: Fault, until: float, chance: Random) -> Happening:
        async def happen() -> None:
            heal = fault(self, chance)
            if heal is not None:
                self._put(until, f"end of {fault.__name__}", heal)

        return happen

    def _put(self, at: float, name: str, heal: Callable[[], object]) -> None:
        async def happen() -> None:
            heal()

        self._script.append((at, name, happen))
        self._script.sort(key=lambda each: each[0])

    def _does(self, deed: people.Deed, chance: Random) -> Happening:
        async def happen() -> None:
            # An act by hand waits for its verification; people do other things meanwhile.
            task = asyncio.create_task(deed(self, chance))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)
            await asyncio.sleep(0)

        return happen

    async def _all_ends(self) -> None:
        self.disarm()
        self.host.faults.heal()
        self.store_fault.times = 0
        await people.lifts_everything(self, self.chance)
