"""The sampler: a check that hangs, crashes or returns garbage is UNKNOWN and costs the others nothing (R2)."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.support.moments import START
from zen_agents.checks.base import Check, Probe
from zen_agents.clock import Instant, ManualClock
from zen_agents.engine.sampler import MOST_HUNG, Sampler
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status


class Asks(Check):
    kind = "asks"
    summary = "Calls what the test wants."

    def __init__(self, name: str, answer: Callable[[Instant], Any], *, timeout_seconds: float = 10.0) -> None:
        super().__init__(name=name, target="host", every_seconds=5.0, timeout_seconds=timeout_seconds)
        self._answer = answer

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: Any, now: Instant) -> Sequence[Observation]:
        return self._answer(now)


class Probes(Probe):
    kind = "probes"
    summary = "Raises what the test wants."

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    async def probe(self, host: Any, now: Instant) -> Sequence[Observation]:
        raise OSError("no route")


class NoHost:
    def look(self) -> Any:
        return None


def fine(name: str) -> Asks:
    return Asks(name, lambda now: [Observation(name, "host", Status.OK, now, 1.0)])


@pytest.fixture
def sampler():
    sampler = Sampler(NoHost(), ManualClock(START))
    yield sampler
    sampler.close()


async def sample(sampler: Sampler, *checks: Check) -> dict[str, Observation]:
    found = await sampler.sample(checks, Instant(START, 0.0))
    assert len({o.name for o in found}) == len(found)
    return {o.name: o for o in found}


async def test_what_the_host_does_not_tell_is_said_as_it_is_and_is_no_failure_of_the_check(sampler: Sampler) -> None:
    def cannot_tell(now: Instant) -> Any:
        raise HostError("known from the next look on")

    found = await sample(sampler, Asks("b", cannot_tell))
    assert (found["b"].status, found["b"].detail) == (Status.UNKNOWN, "known from the next look on")


async def test_a_crash_is_unknown_and_says_why(sampler: Sampler) -> None:
    def crash(now: Instant) -> Any:
        raise RuntimeError("kaboom")

    found = await sample(sampler, fine("a"), Asks("b", crash), fine("c"))
    assert [found[name].status for name in "abc"] == [Status.OK, Status.UNKNOWN, Status.OK]
    assert "kaboom" in found["b"].detail


@pytest.mark.parametrize(
    "garbage",
    [
        None, 42, ["text"], [Observation("other", "host", Status.OK, Instant(START, 0.0))],
        [Observation("b", "host", "fine", Instant(START, 0.0))],  # type: ignore[arg-type]
        [Observation("b", "host", Status.OK, Instant(START, 0.0), float("nan"))],
        [Observation("b", "host", Status.OK, Instant(START, 0.0), float("inf"))], [],
    ],
)  # fmt: skip
async def test_garbage_is_unknown(sampler: Sampler, garbage: Any) -> None:
    found = await sample(sampler, fine("a"), Asks("b", lambda now: garbage))
    assert (found["a"].status, found["b"].status) == (Status.OK, Status.UNKNOWN)


class Hundreds(Asks):
    """One that observes as many names as a log may have patterns."""

    @property
    def observes(self) -> tuple[str, ...]:
        return tuple(f"{self.name}.{number}" for number in range(300))


@pytest.mark.parametrize(
    ("last", "unknown"), [("b.299", []), ("b.7", ["b.299"]), ("other", "all"), (["b.299"], "all")]
)  # fmt: skip
async def test_of_hundreds_of_names_each_is_one_that_was_announced(sampler: Sampler, last: Any, unknown: Any) -> None:
    names = [*(f"b.{number}" for number in range(299)), last]
    check = Hundreds("b", lambda now: [Observation(name, "host", Status.OK, now, 1.0) for name in names])
    found = await sampler.sample([check], Instant(START, 0.0))
    expected = list(check.observes) if unknown == "all" else unknown
    assert [each.name for each in found if each.status is Status.UNKNOWN] == expected


async def test_a_failed_probe_is_unknown(sampler: Sampler) -> None:
    probe = Probes(name="p", target="host", every_seconds=5.0)
    found = await sample(sampler, probe, fine("a"))
    assert (found["p"].status, found["a"].status) == (Status.UNKNOWN, Status.OK)


async def test_a_hang_is_unknown_the_others_are_asked_and_it_recovers(sampler: Sampler) -> None:
    gate = threading.Event()

    def hang(now: Instant) -> Any:
        gate.wait(60)
        return [Observation("b", "host", Status.OK, now)]

    stuck = Asks("b", hang, timeout_seconds=0.2)
    found = await sample(sampler, fine("a"), stuck, fine("c"))
    assert [found[name].status for name in "abc"] == [Status.OK, Status.UNKNOWN, Status.OK]

    again = await sample(sampler, stuck, fine("c"))
    assert again["b"].status is Status.UNKNOWN
    assert "has not come back" in again["b"].detail

    gate.set()
    for hung in sampler._hung.values():
        hung._thread.join(30)
    assert (await sample(sampler, stuck))["b"].status is Status.OK


async def test_too_many_hangs_stop_the_asking_not_the_engine(sampler: Sampler) -> None:
    gate = threading.Event()
    stuck = [Asks(f"h{n}", lambda now: gate.wait(60), timeout_seconds=0.02) for n in range(MOST_HUNG + 3)]
    found = await sample(sampler, *stuck, fine("z"))
    gate.set()
    assert all(found[check.name].status is Status.UNKNOWN for check in stuck)
    assert found["z"].status is Status.UNKNOWN
    assert "other checks hang" in found["z"].detail
