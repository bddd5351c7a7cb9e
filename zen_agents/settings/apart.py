"""A large configuration is loaded by a process of its own: `python -m zen_agents.settings.apart`, a request on stdin.

The tree that knows the place of every key takes sixty times what the file takes, and memory that was once so torn up is
never given back whole. What the engine needs of it is a tenth: settings, diagnostics, and where each entry stands.

The reply is a pickle. It comes through a pipe that only the child has, and the child is this package's own code under the
same account, reading the same files: whoever could change the reply could change the engine. See docs/adr/0015.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle  # nosec B403  only what our own child says is read, see above
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from zen_agents.settings.diagnostics import Diagnostic, Report
from zen_agents.settings.loader import Loaded, drop_ins, load
from zen_agents.settings.nodes import Document, Node, Place, put
from zen_agents.settings.plugins import load_plugins

log = logging.getLogger("zen_agents.settings")

#: From this size on, all files together, a child is worth its start (half a second); below it the engine stays within 8 MB.
LARGE_BYTES = 128 * 1024
#: The largest configuration that may be takes a tenth of this.
LONGEST_SECONDS = 120.0


def load_lean(paths: Sequence[Path], environ: Mapping[str, str], *, flags: Mapping[str, Any]) -> Loaded:
    """Load as `loader.load` with `lean` does, a large configuration without its peak in this process's memory.

    A child that cannot be had, or does not come back, costs that memory and a line in the log, never the configuration.
    """
    files = [str(path) for path in paths]
    if "-" not in files and _bytes(files) >= LARGE_BYTES:
        try:
            return _ask(files, environ, flags)
        except (OSError, ValueError, subprocess.SubprocessError, pickle.PickleError, ImportError, AttributeError) as error:
            log.warning("the configuration is loaded by the engine itself, its own process failed: %s", error)
    return load(files, environ, flags=flags, lean=True)


def main() -> int:
    """Read the request from stdin, and write what came of loading to stdout."""
    # A process this short tidies up by ending.
    gc.disable()
    request = json.load(sys.stdin)
    loaded = load(request["files"], os.environ, flags=request["flags"], lean=True)
    pickle.dump(_compact(loaded), sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    return 0


def _bytes(files: Sequence[str]) -> int:
    """Return how large the files are together; loading tells what is wrong with one that cannot be looked at."""
    total = 0
    for file in (*files, *(drop_ins(files[0], Report()) if len(files) == 1 else ())):
        try:
            total += Path(file).stat().st_size
        except (OSError, ValueError):
            continue
    return total


def _ask(files: Sequence[str], environ: Mapping[str, str], flags: Mapping[str, Any]) -> Loaded:
    reply = subprocess.run(
        [sys.executable, "-P", "-m", "zen_agents.settings.apart"],
        input=json.dumps({"files": files, "flags": flags}).encode(), stdout=subprocess.PIPE, timeout=LONGEST_SECONDS,
        # The same modules from the same places, plug-ins among them.
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, check=True, start_new_session=True,
    ).stdout  # fmt: skip
    loaded = pickle.loads(reply)  # noqa: S301  # nosec B301  our own child's word, see the module's docstring
    if not isinstance(loaded, Loaded):
        raise ValueError("it answered something else")
    _extend_catalog(loaded)
    return loaded


def _extend_catalog(loaded: Loaded) -> None:
    """Load here, too, the plug-ins that the child has loaded and found to be right."""
    if loaded.settings is None or not loaded.settings.plugins:
        return
    document, report = Document(loaded.files[0]), Report()
    load_plugins(put(Node(Place(document), {}), ["plugins"], list(loaded.settings.plugins), document), os.geteuid(), report)
    if report.failed:
        raise ValueError("a plug-in cannot be loaded")


def _compact(loaded: Loaded) -> Loaded:
    """Return the same with equal values made one, which a pickle keeps, and without the text of the files."""
    seen: dict[int, Document] = {}
    diagnostics = tuple(_without_lines(each, seen) for each in loaded.diagnostics)
    return replace(loaded, settings=_shared(loaded.settings, {}), diagnostics=diagnostics)


def _without_lines(diagnostic: Diagnostic, seen: dict[int, Document]) -> Diagnostic:
    document = diagnostic.place.document
    bare = seen.setdefault(id(document), replace(document, lines=()))
    return replace(diagnostic, place=replace(diagnostic.place, document=bare))


def _shared(value: Any, known: dict[Any, Any]) -> Any:
    """Return a value in which equal texts, durations, and pydantic's sets of written keys are the same objects."""
    if type(value) in (str, timedelta):
        return known.setdefault(value, value)
    if type(value) is tuple:
        return tuple(_shared(each, known) for each in value)
    if type(value) is dict:
        return {_shared(key, known): _shared(each, known) for key, each in value.items()}
    if isinstance(value, BaseModel):
        for name, each in value.__dict__.items():
            value.__dict__[name] = _shared(each, known)
        written = value.model_fields_set
        object.__setattr__(value, "__pydantic_fields_set__", known.setdefault(frozenset(written), written))
    return value


if __name__ == "__main__":
    sys.exit(main())
