"""A process of a simulated host."""

from __future__ import annotations

from dataclasses import dataclass, field

from zen_agents.ports.host_processes import Process

TICKS_A_SECOND = 100


@dataclass(slots=True)
class SimulatedProcess:
    """A process with all that a view tells of it."""

    process: Process
    argv: tuple[str, ...]
    executable: str
    owner: int = 0
    cgroup: str = "/system.slice"
    descriptors: tuple[int, int] = (8, 1024)
    #: Deleted files it holds open: descriptor -> (former path, bytes).
    deleted: dict[int, tuple[str, int]] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    memory_limit: int | None = None
    #: What it uses of a CPU (percent), and since which steady second.
    busy: tuple[float, float] = (0.0, 0.0)
    niceness: int = 0
    #: How often it has gone to sleep by itself.
    sleeps: int = 1
    #: Libraries it runs with that were replaced since.
    replaced: tuple[str, ...] = ()
    ignores_term: bool = False
