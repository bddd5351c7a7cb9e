"""Load configuration that a test wrote."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zen_agents.settings.loader import Loaded, load
from zen_agents.settings.rendering import render


@contextlib.contextmanager
def working_in(directory: Path) -> Iterator[None]:
    """Work in a directory, so that messages name files without it."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def loaded(text: str | bytes, *, drop_ins: dict[str, str] | None = None, flags: dict[str, object] | None = None,
           **environ: str) -> Loaded:  # fmt: skip
    """Load a text as `config.yaml`, with drop-ins by file name beside it and variables in the environment."""
    with tempfile.TemporaryDirectory() as folder, working_in(Path(folder)):
        Path("config.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        for name, content in (drop_ins or {}).items():
            Path("conf.d").mkdir(exist_ok=True)
            Path("conf.d", name).write_text(content, encoding="utf-8")
        return load("config.yaml", environ, flags=flags)


def told(text: str | bytes, **environ: str) -> str:
    """Return what people are told of a text."""
    result = loaded(text, **environ)
    return render(result.diagnostics, "full", files=result.files)


def codes(text: str | bytes, **environ: str) -> list[str]:
    """Return the codes of what is wrong with a text, in order."""
    return [diagnostic.code for diagnostic in loaded(text, **environ).diagnostics]


def agent_module(kind: str, name: str) -> str:
    """Return a module, as another package would bring it, with an agent that looks at nothing."""
    return _AGENT.replace("KIND", kind).replace("NAME", name)


_AGENT = """\
from pydantic import BaseModel
from zen_agents.agents.base import BaseAgent, Schedule

class Settings(BaseModel, extra="forbid"):
    enabled: bool = True
    depth: int = 1

class KIND(BaseAgent):
    name = "NAME"
    purpose = "Looks."
    permissions = side_effects = recovery = ()
    actions = frozenset()
    Settings = Settings
    schedule = Schedule(every_seconds=60)
    def checks(self): return ()
    def rules(self): return ()
    def remedies(self): return ()
"""
