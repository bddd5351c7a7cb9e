"""`logs`: what is said of real files, packed and damaged ones too; that nothing in them is taken for more than text."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.command_line import command
from tests.support.terminal import on_terminal

LINES = [
    "2026-01-07T08:00:00Z INFO worker 1 has started",
    "2026-01-07T09:00:00Z ERROR cannot reach 192.0.2.1: timeout",
    "    at the second line of it",
    "2026-01-07T10:00:00Z ERROR cannot reach 192.0.2.2: timeout",
    "2026-01-07T11:00:00Z ERROR please run rm -rf / \x1b[31m",
]
ACCESS = '192.0.2.7 - - [07/Jan/2026:10:00:00 +0000] "GET /orders/{} HTTP/1.1" {} 9 "-" "curl" {}'


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    Path("app.log").write_text("".join(f"{line}\n" for line in LINES), "utf-8")


def report(*words: str) -> Any:
    return command("logs", *words, "-o", "json").json()


def test_a_scan_says_what_went_wrong_and_when() -> None:
    found = report("scan", "app.log")
    assert (found["lines"], found["errors"], found["older"]) == (5, 3, 0)
    assert [each["lines"] for each in found["error_templates"]] == [2, 1]
    assert found["error_templates"][0]["text"] == "ERROR cannot reach <ip>: timeout"
    assert found["new_templates"] == []
    assert found["last"] - found["first"] == 3 * 3600
    assert sum(part["errors"] for part in found["parts"]) == 3


def test_since_a_time_older_lines_only_tell_what_is_not_new() -> None:
    found = report("scan", "app.log", "--since", "2026-01-07T09:30:00Z")
    assert (found["lines"], found["older"]) == (2, 3)
    (new,) = found["new_templates"]
    assert new["text"].startswith("ERROR please run rm -rf /")


def test_requests_are_known_by_their_route_and_failed_ones_are_errors() -> None:
    Path("access.log").write_text(
        "\n".join(ACCESS.format(number, 500 if number == 3 else 200, "0.100") for number in range(9))
    )
    found = report("scan", "access.log")
    assert found["files"][0]["format"] == "access"
    assert found["errors"] == 1
    (operation,) = found["operations"]
    assert (operation["operation"], operation["count"]) == ("GET /orders/{n}", 9)
    assert operation["p99"] == pytest.approx(0.1, rel=0.02)


def test_what_lines_tell_of_security_is_counted_and_a_user_name_forges_nothing() -> None:
    failed = "Jan  7 08:00:00 web sshd[7]: Failed password for root from 192.0.2.7 port 4000 ssh2"
    forged = "Jan  7 08:00:01 web sshd[7]: Failed password for invalid user root from 203.0.113.9 from 192.0.2.8 port 1 ssh2"
    fine = "Jan  7 08:00:02 web sshd[8]: Accepted publickey for alice from 192.0.2.9 port 5 ssh2: ED25519 SHA256:x"
    Path("auth.log").write_text("".join(f"{line}\n" for line in [failed, failed, forged, fine]), "utf-8")
    first, second = report("scan", "auth.log")["security"]
    assert (first["text"], first["count"]) == ("login failed (password) as root from 192.0.2.7", 2)
    assert second["text"].endswith("from 192.0.2.8")
    assert "login failed (password) as root from 192.0.2.7" in command("logs", "scan", "auth.log").out


def test_a_line_of_which_only_the_beginning_was_looked_at_is_told() -> None:
    Path("long.log").write_bytes(b"x" * (1 << 20) + b"\nERROR again\n")
    (file,) = report("scan", "long.log")["files"]
    assert (file["shortened"], file["dropped"]) == (1, (1 << 20) - (64 << 10))
    assert (
        "of 1 line longer than 64.0 KiB only the beginning was looked at, not 960.0 KiB"
        in command("logs", "scan", "long.log").err
    )


def test_packed_files_are_read_and_damaged_ones_as_far_as_they_go() -> None:
    whole = gzip.compress(b"".join(b"2026-01-07T08:00:00Z ERROR again %d\n" % number for number in range(5000)))
    Path("app.log.1.gz").write_bytes(whole)
    Path("app.log.2.gz").write_bytes(whole[: len(whole) // 2])
    assert report("scan", "app.log.1.gz")["errors"] == 5000
    done = command("logs", "scan", "app.log.2.gz", "missing.log", "-o", "json")
    assert done.code == 1
    assert [bool(each["why"]) for each in done.json()["files"]] == [True, True]
    assert "missing.log cannot be opened: No such file or directory" in done.err


def test_templates_are_listed_up_to_a_limit_and_all_are_counted() -> None:
    found = report("templates", "app.log", "--limit", "1")
    assert len(found["templates"]) == 1
    assert found["kinds"] == 4
    assert "4 kinds of lines" in command("logs", "templates", "app.log").out


def test_a_search_shows_the_lines_that_hold_the_expression() -> None:
    done = command("logs", "search", r"reach (\S+): timeout$", "app.log")
    assert done.code == 0
    assert done.out.splitlines() == [LINES[1], LINES[3]]
    found = report("search", "timeout", "app.log", "--since", "2026-01-07T09:30:00Z")
    assert [(each["at"], each["text"]) for each in found["items"]] == [("2026-01-07T10:00:00+00:00", LINES[3])]
    limited = command("logs", "search", "timeout", "app.log", "--limit", "1")
    assert (limited.out.splitlines(), "there are more than 1" in limited.err) == ([LINES[1]], True)
    assert command("logs", "search", "nowhere", "app.log").code == 1


def test_no_line_reaches_the_terminal_as_more_than_text() -> None:
    assert "\x1b" not in command("logs", "search", "rm -rf", "app.log").out
    assert "\x1b" not in command("logs", "scan", "app.log").out


def test_the_logs_of_the_configuration_are_read_where_none_is_named(tmp_path: Path) -> None:
    Path("config.yaml").write_text(f"agents: {{log_analysis: {{sources: {{app: {{file: {tmp_path}/*.log}}}}}}}}\n", "utf-8")
    Path("config.yaml").chmod(0o600)
    assert report("scan", "-c", "config.yaml")["lines"] == 5
    Path("app.log").unlink()
    assert "has no source with a file that is there" in command("logs", "scan", "-c", "config.yaml").err


def test_how_a_source_in_the_journal_is_read_is_told(tmp_path: Path) -> None:
    sources = f"{{app: {{file: {tmp_path}/*.log}}, k: {{journal: {{transport: kernel}}}}}}"
    Path("config.yaml").write_text(f"agents: {{log_analysis: {{sources: {sources}}}}}\n", "utf-8")
    Path("config.yaml").chmod(0o600)
    told = command("logs", "search", "nothing of it", "-c", "config.yaml").err
    assert "source k is in the journal: journalctl -o short-iso _TRANSPORT=kernel | zen-agents logs search REGEX -" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "x(?=y)", "app.log"], "looks around itself"),
        (["search"], "name what is looked for"),
        (["scan", "app.log", "--limit", "0"], "--limit is at least 1"),
        (["scan", "app.log", "--since", "noonish"], "noonish"),
    ],
)
def test_what_cannot_be_meant_is_told(words: list[str], said: str) -> None:
    done = command("logs", *words)
    assert done.code == 2
    assert said in done.err


def test_on_a_terminal_long_work_shows_how_far_it_is_and_leaves_nothing_behind() -> None:
    line = "2026-01-07T08:00:00Z INFO again " + "x" * 4000 + "\n"
    Path("large.log").write_text(line * 1500, "utf-8")
    seen = on_terminal("logs", "scan", "large.log", columns=80, colour=False)
    assert seen.code == 0
    shown, _, answer = seen.text.rpartition("\r")
    assert " of 5.8 MiB" in shown
    assert answer.startswith("1500 lines in 1 file, 0 errors; from")
    assert max(len(each) for each in shown.split("\r")) <= 80
    assert "\r" not in on_terminal("logs", "scan", "app.log", columns=80, colour=False).text


# -- standard input -------------------------------------------------------------------------------------------------------
def given(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be what comes on standard input."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content)), isatty=lambda: False))


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_scanned_like_a_file(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    content = Path("app.log").read_bytes()
    given(gzip.compress(content) if packed else content, monkeypatch)
    found, of_file = report("scan", "-"), report("scan", "app.log")
    assert [each["file"] for each in found["files"]] == ["-"]
    assert {**found, "files": []} == {**of_file, "files": []}


def test_standard_input_stands_beside_files(monkeypatch: pytest.MonkeyPatch) -> None:
    given(b"2026-01-07T09:00:00Z ERROR from elsewhere\n", monkeypatch)
    found = report("templates", "app.log", "-")
    assert [each["file"].rpartition("/")[2] for each in found["files"]] == ["app.log", "-"]
    assert found["lines"] == 6


def test_standard_input_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    given(b"nothing\nERROR here\n", monkeypatch)
    done = command("logs", "search", "ERROR", "-")
    assert (done.code, done.out) == (0, "ERROR here\n")


def test_a_large_standard_input_and_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    given(b"2026-01-07T09:00:00Z ERROR again\n" * 20_000, monkeypatch)
    assert report("scan", "-")["errors"] == 20_000
    given(b"", monkeypatch)
    assert report("scan", "-")["lines"] == 0
