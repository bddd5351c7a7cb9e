"""The Python in the documentation runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.doc_blocks import ROOT, blocks
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.clock import SystemClock
from zen_agents.model.observation import Status


def test_the_check_of_the_how_to_counts_files(tmp_path: Path) -> None:
    page = ROOT / "docs" / "how-to" / "write-a-check-action-or-agent.md"
    (source,) = [block.text for block in blocks(page) if block.language == "python"]
    names: dict[str, Any] = {}
    exec(compile(source, str(page), "exec"), names)
    spool = tmp_path / "spool"
    spool.mkdir()
    for name in ("a", "b"):
        (spool / name).write_text("waiting")
    (spool / "folder").mkdir()

    check = names["FileCountCheck"]("mail", path=str(spool), every_seconds=30.0)
    (observation,) = check.observe(LinuxHost(tmp_path / "state").look(), SystemClock().now())

    assert (observation.name, observation.target) == ("queue.mail.files", "queue:mail")
    assert (observation.status, observation.value) == (Status.OK, 2.0)
