"""What the resident engine costs: memory, CPU, and the time to its first turn; and Monit's eleven checks beside Monit."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.benchmarks import monit
from scripts.benchmarks.processes import REPOSITORY, EngineProcess, memory_kib, sleepers, used_cpu
from scripts.benchmarks.report import Figure, median, skipped, spread
from scripts.benchmarks.touched import pages_touched
from zen_agents.settings.packs import installed

DEFAULT = REPOSITORY / "config" / "default.yaml"
#: Both look this often in the comparison (seconds).
CYCLE = 5


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    seconds = 10 if quick else 60
    packs = folder / "packs.yaml"
    packs.write_text(f"extends: [{', '.join(f'pack:{name}' for name in installed())}]\nmode: observe\n", encoding="ascii")
    return [
        *_starts(folder, 3 if quick else 9), *_resident(folder, DEFAULT, "config/default.yaml", seconds),
        *_resident(folder, packs, "every pack", seconds), *_eleven(folder, quick),
    ]  # fmt: skip


def _starts(folder: Path, rounds: int) -> Sequence[Figure]:
    """Empty, then migrated state, then bare Python, again and again."""
    empty, migrated, bare = [], [], []
    for turn in range(rounds):
        state = folder / f"start-{turn}"
        with EngineProcess(DEFAULT, state) as engine:
            empty.append(engine.first_turn())
        with EngineProcess(DEFAULT, state) as engine:
            migrated.append(engine.first_turn())
        began = time.monotonic()
        # What Python takes for nothing at all, here and now.
        os.waitpid(os.posix_spawn(_python(), [_python(), "-c", "import asyncio"], os.environ), 0)
        bare.append(time.monotonic() - began)
    beside = f"bare Python with asyncio: {median(bare):.3f} s"
    return [
        Figure("exec to the end of the first turn, migrated state", median(migrated), "s", 0.5,
               note=f"{spread(migrated)}; {beside}", samples=migrated),
        Figure("exec to the end of the first turn, empty state", median(empty), "s", 1.2,
               note=f"{spread(empty)}", samples=empty),
    ]  # fmt: skip


def _python() -> str:
    import sys  # noqa: PLC0415

    return sys.executable


def _resident(folder: Path, config: Path, what: str, seconds: int) -> Sequence[Figure]:
    with EngineProcess(config, folder / f"resident-{config.stem}") as engine:
        engine.first_turn()
        (cpu,) = used_cpu([engine.pid], seconds)
        memory = memory_kib(engine.pid)
    mib = {name: kib / 1024 for name, kib in memory.items()}
    rest = ", ".join(f"{name} {mib[name]:.1f}" for name in ("VmHWM", "Pss", "Uss"))
    return [
        Figure(f"resident memory after {seconds} s, {what}", mib["VmRSS"], "MiB", 50,
               note=f"= {memory['VmRSS'] * 1.024 / 1000:.1f} MB of 10^6; {rest} MiB; stretch 45"),
        Figure(f"CPU, {what}", 100 * cpu / seconds, "%", note=f"over {seconds} s after the first turn"),
    ]  # fmt: skip


def _eleven(folder: Path, quick: bool) -> Sequence[Figure]:
    """Eleven checks every five seconds: CPU, load, memory with swap, the root disk, 3 processes, 3 paths, a port."""
    if not monit.is_installed():
        return [skipped("CPU of Monit's eleven checks", monit.WHY_NOT)]
    files = folder / "eleven"
    files.mkdir()
    paths = [files / "one", files / "two"]
    for path in paths:
        path.write_text("x", encoding="ascii")
        path.chmod(0o644)
    (files / "directory").mkdir(mode=0o755)
    with sleepers(3) as pids, _listener() as port:
        pidfiles = []
        for number, pid in enumerate(pids):
            pidfile = files / f"{number}.pid"
            pidfile.write_text(f"{pid}\n", encoding="ascii")
            pidfiles.append(pidfile)
        config = folder / "eleven.yaml"
        config.write_text(_ours(pidfiles, paths, files / "directory", port), encoding="utf-8")
        theirs = _theirs(pidfiles, paths, files / "directory", port)
        # How much lies in pages that are dear to come by is drawn at each start, of both.
        runs = [_beside_monit(folder / f"eleven-{start}", config, theirs, quick) for start in range(1 if quick else 3)]
    ours, others = [run.cpu[0] for run in runs], [run.cpu[1] for run in runs]
    return [
        Figure(f"CPU of Monit's eleven checks at a {CYCLE} s cycle", median(ours), "%", median(others), samples=ours,
               note=f"Monit at the same time {spread(others)} % ({runs[0].other_mib:.1f} MiB); ours {spread(ours)} %"),
        Figure("pages of its own memory that a cycle of them touches", median([run.pages[0] for run in runs]), "pages",
               note=f"Monit {median([run.pages[1] for run in runs]):.0f}; see scripts/benchmarks/touched.py"),
    ]  # fmt: skip


class _Beside(NamedTuple):
    """What the engine and Monit took side by side after one start of both."""

    #: Percent of one core.
    cpu: Sequence[float]
    #: Pages of their own that a cycle touches.
    pages: Sequence[float]
    #: Resident memory of Monit.
    other_mib: float


def _beside_monit(folder: Path, config: Path, checks: str, quick: bool) -> _Beside:
    seconds = 2 * CYCLE if quick else 6 * CYCLE
    folder.mkdir()
    with (
        EngineProcess(config, folder / "state") as engine,
        monit.running(folder / "monit", checks, cycle_seconds=CYCLE) as other,
    ):
        engine.first_turn()
        time.sleep(2 * CYCLE)
        cpu = used_cpu([engine.pid, other], seconds)
        pages = [pages_touched([engine.pid, other], CYCLE) for _ in range(3)]
        rss = memory_kib(other)["VmRSS"] / 1024
    return _Beside([100 * each / seconds for each in cpu], [median(each) for each in zip(*pages, strict=True)], rss)


def _ours(pidfiles: Sequence[Path], paths: Sequence[Path], directory: Path, port: int) -> str:
    every = f"every: {CYCLE}s"
    services = [f"      p{n}: {{pidfile: {path}, {every}}}" for n, path in enumerate(pidfiles)]
    # The port belongs to the first process, as a service has it; a process of its own costs Monit a check less.
    services[0] = services[0].replace(every, f'{every}, check: {{tcp: "127.0.0.1:{port}"}}')
    watched = [(path, "file", "0644") for path in paths] + [(directory, "directory", "0755")]
    lines = [
        f'      f{n}: {{path: {path}, kind: {kind}, mode: "{mode}", owner: {os.geteuid()}, group: {os.getegid()}, {every}}}'
        for n, (path, kind, mode) in enumerate(watched)
    ]
    return (
        "version: 1\nagents:\n  system_health:\n    interval: 300\n"
        f"    sample_interval: {CYCLE}s\n"
        f"    thresholds: {{disk: [{{path: /, above: 90}}], disk_every: {CYCLE}s}}\n"
        "    services:\n" + "\n".join(services) + "\n    paths:\n" + "\n".join(lines) + "\n"
    )


def _theirs(pidfiles: Sequence[Path], paths: Sequence[Path], directory: Path, port: int) -> str:
    uid, gid = os.geteuid(), os.getegid()
    checks = [
        "check system $HOST\n if loadavg (5min) > 8 for 3 cycles then alert\n if cpu usage > 80% for 60 cycles then alert\n"
        " if memory usage > 90% for 36 cycles then alert\n if swap usage > 90% for 60 cycles then alert\n",
        "check filesystem root with path /\n if space usage > 90% then alert\n if inode usage > 90% then alert\n",
        f"check host local with address 127.0.0.1\n if failed port {port} type tcp for 3 cycles then alert\n",
    ]
    checks += [f"check process p{n} with pidfile {path}\n" for n, path in enumerate(pidfiles)]
    checks += [
        f"check file f{n} with path {path}\n if failed permission 0644 then alert\n if failed uid {uid} then alert\n"
        f" if failed gid {gid} then alert\n"
        for n, path in enumerate(paths)
    ]
    checks.append(
        f"check directory d with path {directory}\n if failed permission 0755 then alert\n if failed uid {uid} then alert\n"
        f" if failed gid {gid} then alert\n"
    )
    return "".join(checks)


class _listener:  # noqa: N801 - used as a with-statement's word
    """Accepts and closes connections on a port of 127.0.0.1 until it is left."""

    def __enter__(self) -> int:
        self._sock = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._sock.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                self._sock.accept()[0].close()
            except OSError:
                # It was shut: nobody is to be served any more.
                return

    def __exit__(self, *_: object) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
