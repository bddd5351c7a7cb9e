"""`python -m chaos.soak --minutes 60 --speed 120 --report soak.md`; Ctrl-C ends it with the report so far."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from chaos.invariants import violations
from chaos.soak.course import Course, Tally
from chaos.soak.faults import kill, recorded
from chaos.soak.pace import Pace
from chaos.soak.report import Judged, judge, markdown, progress
from chaos.soak.scene import Scene, prepare
from scripts.benchmarks.processes import EngineProcess
from zen_agents.adapters.ledger_audit import verify


def main(argv: Sequence[str] | None = None) -> int:
    """Run a soak and print its report; 1 if a goal is missed."""
    arguments = _parser().parse_args(argv)
    # Whoever ends it gets the report so far, also where a shell has it run in the background and ignore Ctrl-C.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="zen-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        goes_on = (lambda _: True) if arguments.quiet else _tell
        course, judged = soak(folder, minutes=arguments.minutes, speed=arguments.speed, goes_on=goes_on)
    text = markdown(course, judged, f"python -m chaos.soak --minutes {arguments.minutes:g} --speed {arguments.speed:g}")
    print(text)
    if arguments.report:
        arguments.report.write_text(text, encoding="utf-8")
    return 1 if any(each.met is False for each in judged) else 0


def soak(folder: Path, *, minutes: float, speed: float, goes_on: Callable[[Course], bool]) -> tuple[Course, list[Judged]]:
    """Soak an engine in an empty directory until the time is up, `goes_on` says no or Ctrl-C is pressed."""
    pace = Pace(speed)
    scene = prepare(folder, pace)
    course = Course(pace, [Tally(fault) for fault in scene.faults])
    with contextlib.closing(scene.sink), _engine(scene) as engine, contextlib.suppress(KeyboardInterrupt):
        course.run(engine, scene, minutes * 60, goes_on)
    return course, judge(course, verify(scene.state / "state.db"), violations(scene.state))


@contextlib.contextmanager
def _engine(scene: Scene) -> Iterator[EngineProcess]:
    """Run the engine; the service, which outlives an engine, is ended afterwards."""
    with EngineProcess(scene.config, scene.state) as engine:
        engine.first_turn()
        yield engine
    kill(*recorded(scene.state / "services" / "web"))


def _tell(course: Course) -> bool:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(progress(course), end=end, file=sys.stderr, flush=True)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--speed", type=float, default=120.0, help="how many times as often as on a host (default: 120)")
    parser.add_argument("--report", type=Path, help="also write the report, Markdown, to this file")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


if __name__ == "__main__":
    sys.exit(main())
