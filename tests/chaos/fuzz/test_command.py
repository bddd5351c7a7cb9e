"""The command that fuzzes: what it lists, replays and finds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from chaos.fuzz.__main__ import main
from chaos.fuzz.target import load, names


def test_every_target_is_listed_with_what_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    assert all(f"{name} " in told and load(name).about in told for name in names())


def test_an_input_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input").write_bytes(b"load1 > 5")
    assert main(["expression", "--replay", str(tmp_path / "input")]) == 0
    assert "breaks no promise" in capsys.readouterr().out


def test_a_target_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
@pytest.mark.slow
def test_a_campaign_runs_and_keeps_its_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["job", "--seconds", "1", "--directory", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()[-1].split()
    assert told[0] == "job"
    assert int(told[1].replace(",", "")) > len(load("job").seeds)
    assert len(list((tmp_path / "job" / "corpus").iterdir())) >= len(load("job").seeds)
    assert told[-1] == "0"
