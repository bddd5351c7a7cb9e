"""A disposable host for the tests of one module, and asking it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.host import REPOSITORY, DisposableHost, HostUnavailableError


def host_or_skip(**wanted: Any) -> Iterator[DisposableHost]:
    """Start a host and take it away at the end; where none can be made the tests are skipped, with the reason."""
    host = DisposableHost(**wanted)
    try:
        host.start(timeout=60)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    try:
        yield host
    finally:
        host.stop()


def answer_of(host: DisposableHost, script: str, *arguments: str, timeout: float = 30.0) -> Any:
    """Run a script of tests/support inside and return the JSON that it printed."""
    argv = [sys.executable, str(Path(REPOSITORY, "tests", "support", script)), *arguments]
    ended = host.run(argv, environment={"PYTHONPATH": str(REPOSITORY)}, timeout=timeout)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def service(host: DisposableHost, name: str, start: str, *lines: str, unit_lines: tuple[str, ...] = ()) -> None:
    """Write a service unit and have systemd read it."""
    unit = "\n".join(unit_lines)
    text = f"[Unit]\n{unit}\n[Service]\nExecStart={start}\n" + "\n".join(lines) + "\n[Install]\nWantedBy=multi-user.target\n"
    host.write_file(f"/usr/lib/systemd/system/{name}.service", text)
    host.run(["systemctl", "daemon-reload"], check=True)


def properties(host: DisposableHost, unit: str, *names: str) -> dict[str, str]:
    """Return what systemd itself says of a unit."""
    shown = host.run(["systemctl", "show", f"--property={','.join(names)}", "--", unit], check=True).stdout
    return dict(line.partition("=")[::2] for line in shown.splitlines())
