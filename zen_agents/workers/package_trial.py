"""Builds and tries an upgrade in a copy of an environment: `python -m zen_agents.workers.package_trial`.

Reads a `TrialRequest` and writes a `TrialReport`. It is started within namespaces in which the copy stands in the place of
the environment, so that every path in it holds, and nothing else can be written; and becomes the environment's own account
first (R29). What is built is tried by a second run, in which the copy cannot be written either: what was tried is what will
be used.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from zen_agents.jobs.environment import BUILD, TrialRequest
from zen_agents.jobs.package_json import from_json, to_json
from zen_agents.model.environment import TrialReport, TrialStep
from zen_agents.workers.bounded_run import run
from zen_agents.workers.provided_modules import modules_of, sites
from zen_agents.workers.sealing import seal
from zen_agents.workers.uv import Uv, UvError

_IMPORT_SECONDS = _COMPILE_SECONDS = 120.0
#: Imports each module that is named behind a word, and says behind that word which it cannot.
_IMPORTS = """
import importlib, sys, traceback
word, bad = sys.argv[1], []
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except BaseException:
        traceback.print_exc()
        bad.append(name)
sys.stderr.flush()
print("\\n" + word, *bad)
raise SystemExit(bool(bad))
"""


class TrialRun:
    """One half of a trial."""

    def __init__(self, request: TrialRequest, uv: Uv) -> None:
        self._uv, self._trial, self._excused = uv, request.trial, request.excused
        self._names = [pin.name for pin in request.trial.pins]
        self._venv, scratch = request.trial.environment.venv, request.tools.scratch
        self._surroundings = {
            "PATH": f"{self._venv}/bin:{os.defpath}", "VIRTUAL_ENV": self._venv, "LANG": "C.UTF-8", "HOME": scratch,
            "TMPDIR": scratch, "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def build(self) -> TrialReport:
        """Install into the copy, and return what it held before and after."""
        before, modules = self._uv.told("freeze"), modules_of(self._venv, self._names)
        if before != self._trial.freeze:
            changed = TrialStep(
                "compare", ("uv", "pip", "freeze"), 1, 0.0, "it holds something else than when this was planned"
            )
            return TrialReport((changed,), before)
        # No upgrade is blamed for what could not be imported before.
        broken = self._imported(modules)[1] if modules else ()
        steps = (*self._taken_away(), self._installed())
        report = TrialReport(steps, before, broken_before=broken)
        if report.failed is not None:
            return report
        self._compile()
        return replace(report, freeze_after=self._uv.told("freeze"))

    def try_out(self) -> TrialReport:
        """Check dependencies, import what was changed, run the project's own test; the first that fails is the last."""
        done: list[TrialStep] = []
        for step in self._tried():
            done.append(step)
            if not step.ok:
                break
        return TrialReport(tuple(done), freeze_after=self._uv.told("freeze"))

    def _tried(self) -> Iterator[TrialStep]:
        yield self._uv.ask("dependencies", "check")
        if modules := [name for name in modules_of(self._venv, self._names) if name not in self._excused]:
            yield self._imported(modules)[0]
        if self._trial.smoke:
            yield self._run("smoke", self._trial.smoke, self._trial.smoke_seconds)

    def _taken_away(self) -> Sequence[TrialStep]:
        return [self._uv.ask("remove", "uninstall", *self._trial.removes)] if self._trial.removes else []

    def _installed(self) -> TrialStep:
        # What belongs to what was resolved before; here nothing is chosen any more.
        pins = [(f"{pin.name}=={pin.version}", *(f"--hash={each}" for each in pin.hashes)) for pin in self._trial.pins]
        words = ["--no-deps", "--require-hashes", "--link-mode=copy", *self._uv.sources(), "--requirements", "-"]
        return self._uv.ask("install", "install", *words, given="".join(f"{' '.join(pin)}\n" for pin in pins))

    def _imported(self, modules: Sequence[str]) -> tuple[TrialStep, tuple[str, ...]]:
        """Import these, and return how that went and which cannot be."""
        word = secrets.token_hex(8)
        step = self._run("imports", [self._python, "-I", "-B", "-c", _IMPORTS, word, *modules], _IMPORT_SECONDS)
        output, _, bad = step.output.rpartition(word)
        shown = (self._python, "-I", "-c", f"import {', '.join(modules)}")
        return replace(step, argv=shown, output=output.strip()), tuple(bad.split())

    def _compile(self) -> None:
        """Compile what was installed if the rest is: whoever runs it may not be able to. It matters only for speed."""
        places = sites(self._venv)
        if not any(True for place in places for _ in place.glob("*/__pycache__")):
            return
        modules = modules_of(self._venv, self._names)
        found = [str(path) for name in modules for place in places for path in place.glob(f"{name}*")]
        self._run("compile", [self._python, "-I", "-m", "compileall", "-q", *found], _COMPILE_SECONDS)

    @property
    def _python(self) -> str:
        return f"{self._venv}/bin/python"

    def _run(self, name: str, argv: Sequence[str], seconds: float) -> TrialStep:
        return run(name, argv, environment=self._surroundings, directory="/", seconds=seconds)


def main() -> int:
    """Answer one request; exit 1 if nobody can tell, with the reason."""
    request = from_json(sys.stdin.read(), TrialRequest)
    seal(request.tools)
    trial = TrialRun(request, Uv(request.tools, request.trial.environment))
    try:
        report = trial.build() if request.part == BUILD else trial.try_out()
    except UvError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.write(to_json(report) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
