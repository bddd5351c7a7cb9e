"""A fresh checkout, with python3 and pip alone: one command sets everything up, the second start has nothing left to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY

pytestmark = pytest.mark.slow
_BASE = getattr(sys, "_base_executable", sys.executable)
#: What a few tests need beside the program, and what an engine needs that has nobody to tell.
_TRIED_WITH = ("pytest", "pytest-asyncio", "hypothesis", "jsonschema")
_STARTED_WITH = ("apscheduler", "orjson", "psutil", "pybreaker", "pydantic", "pynacl", "pyyaml", "tenacity")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is committed, in a directory whose name needs care, without anything of git."""
    _needs_packages(tmp_path_factory.mktemp("download"))
    place = tmp_path_factory.mktemp("fresh") / "a checkout"
    cloned = subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(place)], capture_output=True, check=False)
    if cloned.returncode != 0:
        pytest.skip(f"the repository cannot be cloned here: {cloned.stderr.decode(errors='replace')[-200:]}")
    shutil.rmtree(place / ".git")
    # All of it is what whoever runs these tests has set up; what is tried here is how.
    _pin_only(place / "requirements-dev.lock", *_names(place / "requirements.lock"), *_TRIED_WITH)
    return place


def _names(lock: Path) -> list[str]:
    return re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)


def _pin_only(lock: Path, *wanted: str) -> None:
    """Leave these in a lock, and what they need: each pin is followed by those on whose account it is there."""
    head, *pins = re.split(r"^(?=[\w.-]+==)", lock.read_text(), flags=re.MULTILINE)
    kept, left = set(wanted), dict(zip(_names(lock), pins, strict=True))
    while more := {name for name, pin in left.items() if kept & {*re.findall(r"^ +#(?: +via)? +(\S+)$", pin, re.MULTILINE)}}:
        if more <= kept:
            break
        kept |= more
    lock.write_text(head + "".join(pin for name, pin in left.items() if name in kept))


def _needs_packages(folder: Path) -> None:
    pin = re.search(r"^tenacity==\S+", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
    assert pin is not None
    command = [_BASE, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), pin.group()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"packages cannot be had here: {done.stderr.strip()[-200:]}")


class Python:
    """A python3 as Debian has it: without ensurepip; it writes down how it is called."""

    def __init__(self, folder: Path, *, knows_other_environments: bool = True) -> None:
        self.path, self._calls = folder / "python3", folder / "calls"
        old = "" if knows_other_environments else 'case "$*" in *--python*) exit 2 ;; esac\n'
        self.path.write_text(
            f'#!/bin/sh\necho "$*" >>"{self._calls}"\n[ "$*" = "-m venv .venv" ] && exit 1\n{old}exec "{_BASE}" "$@"\n'
        )
        self.path.chmod(0o755)

    def calls(self) -> list[str]:
        """Return how it was called since this was last asked."""
        said = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return said


def run(python: Python, checkout: Path, *command: str) -> str:
    """Run a script of the checkout and return everything it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZEN_", "VIRTUAL_", "PYTEST_"))}
    environment |= {"PYTHON": str(python.path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=600,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stderr + done.stdout


def test_the_second_start_sets_nothing_up(checkout: Path, tmp_path: Path) -> None:
    python = Python(tmp_path)
    first = run(python, checkout, "./scripts/start.sh", "--max-runtime", "1s")
    assert "setting up .venv" in first
    assert "engine started" in first
    assert any("-m pip" in call for call in python.calls())
    assert list((checkout / "zen_agents" / "__pycache__").glob("*.pyc")), "without byte code every start is slow"

    second = run(python, checkout, "./scripts/start.sh", "--max-runtime", "1s")
    assert "setting up" not in second
    assert "engine started" in second
    assert not any("pip" in call or "venv" in call for call in python.calls())
    assert run(python, checkout, ".venv/bin/zen-agents", "version").startswith("zen-agents ")


def test_a_start_in_the_activated_environment_sets_nothing_up_either(checkout: Path, tmp_path: Path) -> None:
    python = Python(tmp_path)
    run(python, checkout, "./scripts/start.sh", "--help")
    activated = f"PATH={checkout / '.venv' / 'bin'}:{os.environ['PATH']}"
    said = run(python, checkout, "env", "--unset=PYTHON", activated, "./scripts/start.sh", "--help")
    assert "setting up" not in said
    assert "zen-agents run" in said
    made_with = run(python, checkout, "env", "--unset=PYTHON", activated, "sh", "-c", ". scripts/setup.sh; find_python")
    assert ".venv" not in made_with, "it could not be made anew with itself"


def test_the_tests_run_from_a_fresh_checkout_and_end_with_their_count(checkout: Path, tmp_path: Path) -> None:
    python = Python(tmp_path)
    (checkout / ".venv").mkdir(exist_ok=True)
    assert 'exec "$python" -m pytest' in (checkout / "scripts" / "test.sh").read_text()
    said = _without_fetching_programs(python, checkout, "./scripts/test.sh", "tests/unit/model/test_scalars.py", "-q")
    assert re.fullmatch(r"\d+ passed in [\d.]+s", said.strip().splitlines()[-1])
    python.calls()
    again = _without_fetching_programs(python, checkout, "./scripts/test.sh", "tests/unit/model/test_scalars.py", "-q")
    assert "setting up" not in again
    # The richer environment serves a start as well: only what is missing is asked for.
    assert "engine started" in run(python, checkout, "./scripts/start.sh", "--max-runtime", "1s")


def _without_fetching_programs(python: Python, checkout: Path, *command: str) -> str:
    """Run with an apt-get that is not there: a test of tests changes no host."""
    hidden = checkout.parent / "no-apt"
    if not hidden.exists():
        hidden.mkdir()
        (hidden / "dpkg").write_text("#!/bin/sh\nexit 0\n")
        (hidden / "dpkg").chmod(0o755)
    return run(python, checkout, "env", f"PATH={hidden}:{os.environ['PATH']}", *command)


def test_a_pip_that_cannot_reach_into_another_environment_will_do(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "older pip"
    shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".venv", ".state", "__pycache__"))
    _pin_only(copy / "requirements.lock", *_STARTED_WITH)
    python = Python(tmp_path, knows_other_environments=False)
    said = run(python, copy, "./scripts/start.sh", "--max-runtime", "1s")
    assert "engine started" in said
    assert str(copy / ".venv") in run(python, copy, ".venv/bin/python", "-c", "import pydantic; print(pydantic.__file__)")


def test_another_lock_is_installed_before_the_next_start(checkout: Path, tmp_path: Path) -> None:
    python = Python(tmp_path)
    run(python, checkout, "./scripts/start.sh", "--max-runtime", "1s")
    lock = checkout / "requirements.lock"
    before = lock.read_text()
    lock.write_text(before + "# something else is pinned\n")
    try:
        assert "setting up .venv" in run(python, checkout, "./scripts/start.sh", "--max-runtime", "1s")
    finally:
        lock.write_text(before)


@pytest.mark.parametrize("script", ["start.sh", "test.sh"])
def test_without_a_python_that_is_new_enough_it_says_what_to_do(checkout: Path, tmp_path: Path, script: str) -> None:
    places = tmp_path / "bin"
    places.mkdir()
    for name in ("dirname", "sh", "cat"):
        (places / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["./scripts/" + script], cwd=checkout, env={"PATH": str(places)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
