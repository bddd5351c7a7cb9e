"""uv, asked about one environment: wheels only, no settings but ours, and no network where the wheels are at hand."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.jobs.environment import Tools
from zen_agents.jobs.way_out import way_out
from zen_agents.model.environment import Environment, TrialStep
from zen_agents.workers.bounded_run import run

#: Nothing that has to be built is ever taken: a build runs what strangers wrote (R29).
_WHEELS_ONLY = ("--only-binary", ":all:")


class UvError(Exception):
    """uv could not do what it was asked; the message is its own."""


class Uv:
    """Asks uv; all of it together takes no longer than the job may."""

    def __init__(self, tools: Tools, environment: Environment) -> None:
        self._tools, self._environment = tools, environment
        self._ends_at = time.monotonic() + tools.within_seconds

    def ask(self, name: str, *words: str, given: str = "", answers: bool = False) -> TrialStep:
        """Run `uv pip WORDS` on the environment."""
        return self._run(name, ["--no-config"], ["pip", *words], given=given, answers=answers)

    def lock(self, project: str, *words: str, from_here: bool) -> TrialStep:
        """Run `uv lock WORDS` in a project, by its own settings, or `from_here` by what the environment is upgraded from."""
        words = ("lock", f"--project={project}", "--no-build", *words, *(self._links() if from_here else ()))
        return self._run("lock", [], words, with_index=from_here)

    def _run(
        self, name: str, settings: Sequence[str], words: Sequence[str], *, given: str = "", answers: bool = False,
        with_index: bool = True,
    ) -> TrialStep:  # fmt: skip
        argv = [self._tools.uv, *settings, "--no-progress", "--color=never", "--no-python-downloads", *self._reach()]
        argv += [f"--cache-dir={self._tools.scratch}/cache", *words, f"--python={self._environment.venv}/bin/python"]
        return run(
            name, argv, environment=self._settings(with_index=with_index), directory=self._tools.scratch,
            seconds=self._ends_at - time.monotonic(), given=given, answers=answers,
        )  # fmt: skip

    def told(self, *words: str, given: str = "") -> str:
        """Return what `uv pip WORDS` prints for programs; UvError if it does not do it."""
        step = self.ask(words[0], *words, given=given, answers=True)
        if not step.ok:
            raise UvError(step.output.strip() or f"uv pip {words[0]}: {step.end}")
        return step.output

    def json(self, *words: str, given: str = "") -> Any:
        """Return the JSON that it prints; UvError if it prints none."""
        said = self.told(*words, given=given)
        try:
            return json.loads(said)
        except ValueError as error:
            raise UvError(f"uv pip {words[0]} said what is no JSON: {said[-200:]}") from error

    def sources(self) -> Sequence[str]:
        """Return where packages come from, as arguments."""
        return (*_WHEELS_ONLY, *self._links())

    def _links(self) -> Sequence[str]:
        links = [word for place in self._environment.wheels for word in ("--find-links", place)]
        return (*links, *(["--no-index"] if self._environment.is_offline else []))

    def _settings(self, *, with_index: bool) -> Mapping[str, str]:
        """Return uv's environment. The index stands in it and not among the arguments: it may hold a password."""
        tools = self._tools
        own = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": tools.scratch, "TMPDIR": tools.scratch}
        # Whoever waits for a plan waits for this: an index that does not answer is told soon.
        own |= {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
        own |= way_out()
        index = self._environment.index if with_index else ""
        return {**own, **({"UV_DEFAULT_INDEX": index} if index else {})}

    def _reach(self) -> Sequence[str]:
        return ("--offline",) if self._environment.is_offline else ()
