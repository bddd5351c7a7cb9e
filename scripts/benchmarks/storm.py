"""Ten thousand problems at once: how soon all are decided, what goes out, and whether the engine still answers."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripts.benchmarks.processes import EngineProcess, memory_kib, wait_for
from scripts.benchmarks.report import Figure, median

PROBLEMS = 10_000
#: The goal is 80 MB, and a megabyte is a million bytes; the kernel counts in KiB.
GOAL_MB = 80
_BYTES_PER_KIB = 1024


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part; it is too quick to be made quicker."""
    del quick
    place, gone = folder / "watched", folder / "gone"
    place.mkdir(mode=0o755)
    for number in range(PROBLEMS):
        (place / str(number)).mkdir(mode=0o755)
    (folder / "key").write_text("0123456789abcdef0123456789abcdef", encoding="ascii")
    (folder / "key").chmod(0o600)
    with _pager() as (port, pages), EngineProcess(_config(folder, place, port), folder / "state") as engine:
        start = engine.first_turn(seconds=120)
        time.sleep(2)
        before = _megabytes(engine, "VmRSS")
        with _asking(engine) as answers:
            time.sleep(1)
            quiet = len(answers)
            began = time.time()
            # One rename takes all of them away at the same moment.
            place.rename(gone)
            seconds, decided = _decided(engine, began)
            time.sleep(1)
        peak = _megabytes(engine, "VmHWM")
        wait_for(lambda: pages, seconds=60, what="the page")
        time.sleep(1)
        status = engine.ask("status")
        brakes = _brakes(engine.state)
    storm = [answer for at, answer in answers[quiet:]]
    told = [str(page.get("payload", {}).get("summary", page)) for page in pages if page.get("event_action") != "resolve"]
    return [
        Figure(f"{PROBLEMS:,} problems at once, until all are decided", seconds, "s", 5,
               note=f"{decided:,} decisions in the ledger; first turn after {start:.1f} s"),
        Figure("targets that the engine holds back for the storm brake", 1.0 if "storm" in brakes else 0.0, "", 1,
               at_least=True, note=f"brakes: {', '.join(sorted(brakes))}; {status['actions_today']} actions done"),
        Figure("messages that went out", float(len(told)), "", 1, note="; ".join(told)[:160]),
        Figure("most resident memory since the start", peak, "MB", GOAL_MB,
               note=f"{_mebibytes(peak):.1f} MiB; before the storm {before:.1f} MB; without the child that loads the file"),
        Figure("slowest answer to `status` meanwhile", 1000 * max(storm), "ms", 200,
               note=f"{len(storm)} asked, median {1000 * median(storm):.1f} ms", samples=storm),
    ]  # fmt: skip


def _megabytes(engine: EngineProcess, what: str) -> float:
    return memory_kib(engine.pid)[what] * _BYTES_PER_KIB / 1e6


def _mebibytes(megabytes: float) -> float:
    return megabytes * 1e6 / _BYTES_PER_KIB**2


def _config(folder: Path, place: Path, port: int) -> Path:
    owner = f'mode: "0755", owner: {os.geteuid()}, group: {os.getegid()}'
    paths = [f"      d{n}: {{path: {place}/{n}, kind: directory, create: true, {owner}}}" for n in range(PROBLEMS)]
    path = folder / "storm.yaml"
    path.write_text(
        "version: 1\nagents:\n  system_health:\n    interval: 300\n    paths:\n" + "\n".join(paths)
        + "\nlimits: {boot_grace: 0s}\nalerts:\n  pagerduty:\n    enabled: true\n"
        f"    routing_key_file: {folder}/key\n    url: http://127.0.0.1:{port}\n    change_events: false\n",
        encoding="utf-8",
    )  # fmt: skip
    return path


def _decided(engine: EngineProcess, began: float) -> tuple[float, int]:
    """Wait until each problem has its decision in the ledger; return how long after `began` the last was committed."""

    def count() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{engine.state}/state.db?mode=ro", uri=True)) as connection:
            sql = "SELECT count(DISTINCT incident) FROM ledger WHERE kind = 'decision' AND wall_us >= ?"
            return int(connection.execute(sql, (int(began * 1e6),)).fetchone()[0])

    try:
        wait_for(lambda: count() >= PROBLEMS, seconds=100, what="the last decision", pause=0.2)
    except SystemExit as late:
        said = [line for line in engine.log().splitlines() if '"body": "decision' not in line]
        raise SystemExit(
            f"{late}: {count():,} of {PROBLEMS:,}; the engine's log ends with:\n" + "\n".join(said[-12:])
        ) from late
    return time.time() - began, count()


def _brakes(state: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(f"file:{state}/state.db?mode=ro", uri=True)) as connection:
        return {str(kind) for (kind,) in connection.execute("SELECT kind FROM brakes")}


@contextlib.contextmanager
def _asking(engine: EngineProcess) -> Iterator[list[tuple[float, float]]]:
    """Ask for the status again and again; gives the list of (when, seconds) that grows meanwhile."""
    answers: list[tuple[float, float]] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            began = time.monotonic()
            engine.ask("status", timeout_seconds=60)
            answers.append((began, time.monotonic() - began))
            ended.wait(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def _pager() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Stand in for PagerDuty; gives its port and the list of what was sent to it."""
    pages: list[dict[str, Any]] = []

    class Events(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            pages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b'{"status": "success", "dedup_key": "x"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Events)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], pages
    finally:
        server.shutdown()
        server.server_close()
