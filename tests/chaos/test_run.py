"""The command line of the bench."""

from __future__ import annotations

import pytest

from chaos.run import main


def test_list_names_every_scenario_and_what_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:4] == ["6", "crashed_service", "fault", "repaired"] for line in lines)
    assert any(line.split()[:4] == ["T7", "stopped_by_person", "trap", "told"] for line in lines)


def test_a_name_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "crashed_servise"]) == 2
    assert "there is no scenario crashed_servise" in capsys.readouterr().err
