"""scripts/start.sh hands the engine what scripts/engine.env says, and what a person set stays."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.engine_process import REPOSITORY

_SET_UP = "set_up() { python=./shown; }\n"
_SHOWN = '#!/bin/sh\n[ "$*" = "-m zen_agents run -c x.yaml" ] && env\n'


def started(folder: Path, **own: str) -> dict[str, str]:
    """Return the environment in which start.sh of a checkout would run the engine."""
    scripts = folder / "scripts"
    scripts.mkdir(exist_ok=True)
    for name in ("start.sh", "engine.env"):
        shutil.copy(REPOSITORY / "scripts" / name, scripts)
    (scripts / "setup.sh").write_text(_SET_UP, encoding="ascii")
    (folder / "shown").write_text(_SHOWN, encoding="ascii")
    (folder / "shown").chmod(0o755)
    environment = {"PATH": os.environ["PATH"], **own}
    done = subprocess.run(
        [scripts / "start.sh", "-c", "x.yaml"], env=environment, check=True, capture_output=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_start_sh_hands_on_what_the_file_says_and_what_is_set_already_wins(tmp_path: Path) -> None:
    found = started(tmp_path)
    assert found["PYTHONMALLOC"] == "malloc"
    assert found["GLIBC_TUNABLES"].startswith("glibc.malloc.hugetlb=1:")
    assert found["PYTHONNODEBUGRANGES"] == "1"
    own = started(tmp_path, PYTHONMALLOC="pymalloc", GLIBC_TUNABLES="")
    assert (own["PYTHONMALLOC"], own["GLIBC_TUNABLES"], own["PYTHONNODEBUGRANGES"]) == ("pymalloc", "", "1")
