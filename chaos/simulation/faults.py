"""What goes wrong in a simulated hour: drawn from the seed, at random moments, each with its end.

A fault is one function of the simulation and the source of chance; it breaks something and returns what heals it again, or
None where nothing has to be undone. A new kind is one function and one line in `FAULTS`. The faults that need a kernel of
their own on a real host (a process in uninterruptible sleep, a file system that went read-only, no port left, a skewed
clock) have their place here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from chaos.simulation.datasets import spoil_orders
from chaos.simulation.site import DATA, REPAIRABLE, SCRATCH, SERVICES, SPOOL
from chaos.simulation.store_faults import ERRORS

if TYPE_CHECKING:
    from chaos.simulation.life import Life

Heal = Callable[[], object] | None
Fault = Callable[["Life", Random], Heal]
_LOOKS = ("unit", "disk_use", "file", "memory", "cpu_times", "processes", "tcp", "system_state", "mounts")
#: What is armed stays so until it has struck, or all faults end.
_SEAMS = (
    "store.batch.before_commit", "store.batch.after_commit", "store.reserve.before_commit", "store.reserve.after_commit",
    "store.finish.before_commit", "store.finish.after_commit", "executor.before_spawn", "executor.after_effect",
)  # fmt: skip


def service_dies(life: Life, chance: Random) -> Heal:
    """Its process dies by a signal."""
    name = chance.choice(SERVICES)
    if life.host.services[name].pid:
        life.host.crash(name)
    return None


def service_hangs(life: Life, chance: Random) -> Heal:
    """It lives and answers nobody, until it is started again or comes round."""
    service = life.host.services[chance.choice(SERVICES)]
    service.hangs = True
    return lambda: setattr(service, "hangs", False)


def service_never_starts(life: Life, chance: Random) -> Heal:
    """It dies, and every start fails."""
    service = life.host.services[chance.choice(REPAIRABLE)]
    service.refuses_to_start = True
    if service.pid:
        life.host.crash(service.name)
    return lambda: setattr(service, "refuses_to_start", False)


def service_recurs(life: Life, chance: Random) -> Heal:
    """It dies again a while after each start."""
    service = life.host.services[chance.choice(REPAIRABLE)]
    service.crashes_after_seconds = chance.choice([2.0, 40.0, 300.0])
    if service.pid:
        life.host.crash(service.name)
    return lambda: setattr(service, "crashes_after_seconds", None)


def mass_failure(life: Life, chance: Random) -> Heal:
    """Most services die at once."""
    for name in chance.sample(SERVICES, chance.randint(3, len(SERVICES))):
        if life.host.services[name].pid:
            life.host.crash(name)
    return None


def path_goes_missing(life: Life, chance: Random) -> Heal:
    """A directory that has to be there is removed."""
    life.host.files.remove(SPOOL)
    return None


def mode_changes(life: Life, chance: Random) -> Heal:
    """A directory gets another mode or owner."""
    path = chance.choice([path for path in (DATA, SPOOL) if path in life.host.files.states] or [DATA])
    if path in life.host.files.states:
        life.host.files.change(path, **chance.choice([{"mode": 0o000}, {"mode": 0o777}, {"owner": 1000}]))
    return None


def rows_are_spoiled(life: Life, chance: Random) -> Heal:
    """An import spoils rows of a table, which only a repair ends."""
    spoil_orders(life.host)
    return None


def disk_fills(life: Life, chance: Random) -> Heal:
    """Old files fill the disk, or something else that nobody may remove."""
    if chance.random() < 0.7:
        at = life.host.clock.now().wall.timestamp() - 7200
        for number in range(chance.randint(1, 5)):
            path = f"{SCRATCH}/old-{life.host.random.randrange(10**6)}-{number}"
            life.host.files.add_file(path, size=1 << 30, modified=at, changed=at, accessed=at)
        return None
    life.host.files.fill("/srv", 97)
    return lambda: life.host.files.fill("/srv", 40)


def check_breaks(life: Life, chance: Random) -> Heal:
    """A way to look fails, hangs, or answers with garbage."""
    method, faults = chance.choice(_LOOKS), life.host.faults
    # What is mounted is asked once, while agents are built, and never of an adapter that answers nonsense.
    how = chance.choice(["fail", "stall"] if method == "mounts" else ["fail", "stall", "garbage"])
    if how == "fail":
        faults.fail(method)
    elif how == "stall":
        faults.stall(method)
    else:
        faults.answer(method, chance.choice(["garbage", None, float("nan"), -1]))
    return lambda: faults.heal(method)


def actions_are_slow(life: Life, chance: Random) -> Heal:
    """Commands take long, or longer than they may."""
    life.host.action_seconds = chance.choice([0.2, 5.0, 45.0, 400.0])
    return lambda: setattr(life.host, "action_seconds", 0.0)


def store_fails(life: Life, chance: Random) -> Heal:
    """The disk below the state refuses a statement, or many."""
    fault = life.store_fault
    fault.kind, fault.after = chance.choice(list(ERRORS)), chance.randint(0, 30)
    fault.times = chance.choice([1, 1, 3, 200])
    return lambda: setattr(fault, "times", 0)


def engine_dies(life: Life, chance: Random) -> Heal:
    """Kill -9, now."""
    life.kill()
    return None


def engine_dies_at_a_seam(life: Life, chance: Random) -> Heal:
    """Kill -9 at a durable seam, at the nth time from now that it is passed."""
    life.arm(f"{chance.choice(_SEAMS)}:kill:{chance.choice([1, 1, 2, 5])}")
    return None


def a_write_fails_at_a_seam(life: Life, chance: Random) -> Heal:
    """A commit fails once."""
    seam = chance.choice([seam for seam in _SEAMS if seam.endswith("before_commit")])
    life.arm(f"{seam}:{chance.choice(['eio', 'enospc'])}:{chance.choice([1, 1, 2])}")
    return None


def host_reboots(life: Life, chance: Random) -> Heal:
    """The host goes down with the engine, and comes up again."""
    life.host.reboot()
    life.kill()
    return None


def clock_jumps(life: Life, chance: Random) -> Heal:
    """Somebody sets the wall clock."""
    life.time.jump_wall(chance.choice([-86400.0, -3600.0, -5.0, 5.0, 3600.0, 86400.0]))
    return None


def host_sleeps(life: Life, chance: Random) -> Heal:
    """The host is suspended for a while: no timer runs, boot time goes on."""
    life.time.suspend(chance.choice([30.0, 600.0, 7200.0]))
    return None


def pager_is_down(life: Life, chance: Random) -> Heal:
    """Alerts cannot be delivered, or only slowly."""
    pager = life.pager
    pager.down, pager.refuses, pager.slow_seconds = chance.choice(
        [(True, False, 0.0), (False, True, 0.0), (False, False, 20.0), (False, False, 1000.0)]
    )

    def heal() -> None:
        pager.down, pager.refuses, pager.slow_seconds = False, False, 0.0

    return heal


FAULTS: tuple[Fault, ...] = (
    service_dies, service_dies, service_dies, service_hangs, service_never_starts, service_recurs, mass_failure,
    path_goes_missing, mode_changes, rows_are_spoiled, disk_fills, check_breaks, check_breaks, actions_are_slow,
    store_fails, engine_dies, engine_dies_at_a_seam, engine_dies_at_a_seam, a_write_fails_at_a_seam, host_reboots,
    clock_jumps, host_sleeps, pager_is_down,
)  # fmt: skip
