"""`audit`: the key leaves the host, what is forged shows elsewhere, and a tail is data alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.signed import ID, Forger, SignedLedger, an_engines_day, rechained, renamed, rows_of, signed_ledger
from tests.support.state import START, an_entry
from zen_agents.clock import ManualClock
from zen_agents.model.entry import EntryKind
from zen_agents.store.checkpoint import CHECKPOINT


@pytest.fixture
def ledger(tmp_path: Path) -> SignedLedger:
    return signed_ledger(tmp_path / "state", an_engines_day)


def audit(ledger: SignedLedger, *words: str) -> tuple[int, str, str]:
    done = command("audit", *words, "--state-dir", str(ledger.folder))
    return done.code, done.out, done.err


def test_a_copy_verifies_elsewhere_with_the_public_key_alone(ledger: SignedLedger, tmp_path: Path) -> None:
    code, key, _ = audit(ledger, "key")
    assert code == 0 and key.startswith("ed25519 ") and key.count("\n") == 1
    (tmp_path / "web1.pub").write_text(key, encoding="ascii")
    for name in ("audit.key", "audit.pub"):
        (ledger.folder / name).unlink()
    code, out, _ = audit(ledger, "verify", "--key", str(tmp_path / "web1.pub"))
    assert code == 0 and f"signed up to entry {len(rows_of(ledger.path)) - 1} by key {ledger.key.id}" in out
    code, out, _ = audit(ledger, "verify")
    assert code == 0 and "which nothing shows: give --key FILE" in out


def test_the_key_is_data_too(ledger: SignedLedger) -> None:
    code, out, _ = audit(ledger, "key", "-o", "json")
    (item,) = json.loads(out)["items"]
    assert (code, item["id"], f"{item['key']}\n") == (0, ledger.key.id, (ledger.folder / "audit.pub").read_text("ascii"))
    assert audit(ledger, "key", "-o", "name")[1] == f"{ledger.key.id}\n"
    (ledger.folder / "audit.pub").unlink()
    code, out, err = audit(ledger, "key")
    assert (code, out) == (2, "") and "not signed yet" in err


def test_a_forged_tail_is_exit_seven_with_its_place(ledger: SignedLedger) -> None:
    rows, forger = rows_of(ledger.path), Forger(ledger.path)
    signed = [index for index, row in enumerate(rows) if row[ID] == CHECKPOINT]
    renamed(rows[20])
    forger.write(rechained(rows, 20))
    forger.close()
    following = next(index + 1 for index in signed if index > 20)
    code, out, _ = audit(ledger, "verify")
    assert code == 7 and out.startswith(f"BROKEN at entry {following}: ")
    told = json.loads(audit(ledger, "verify", "-o", "json")[1])
    assert (told["ok"], told["broken_seq"], told["signed_to"] < 21 <= following) == (False, following, True)


def test_a_cut_end_shows_by_heads_in_a_file_or_on_the_command_line(ledger: SignedLedger, tmp_path: Path) -> None:
    log = tmp_path / "heads.txt"
    log.write_text("".join(f"Jan 4 web1 zen-agents[7]: ledger head {one.head} key {one.key}\n" for one in ledger.told))
    code, out, _ = audit(ledger, "verify", "--against", str(log))
    assert code == 0 and f"agrees with {len(ledger.told)} heads kept elsewhere, up to entry {ledger.told[-1].seq}" in out
    rows, forger = rows_of(ledger.path), Forger(ledger.path)
    place = [index for index, row in enumerate(rows) if row[ID] == CHECKPOINT][3]
    forger.write(rows[: place + 1])
    forger.close()
    assert audit(ledger, "verify")[0] == 0
    for named in (str(log), ledger.told[-1].head):
        code, out, _ = audit(ledger, "verify", "--against", named)
        assert code == 7 and f"BROKEN at entry {place + 2}: " in out and "cut off" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verify", "--against", "812"), "holds no head"),
        (("verify", "--key", "missing.pub"), "cannot be read"),
        (("tail", "-o", "yaml"), "use -o jsonl"),
        (("tail", "-f", "-o", "json"), "use -o jsonl"),
        (("tail", "--last", "0"), "no whole number"),
    ],
)
def test_what_is_no_head_and_no_key_is_a_wrong_call(words: tuple[str, ...], told: str, ledger: SignedLedger) -> None:
    code, out, err = audit(ledger, *words)
    assert (code, told in out + err) == (2, True)


def test_a_tail_is_the_last_entries_one_object_a_line(ledger: SignedLedger) -> None:
    code, out, err = audit(ledger, "tail", "--last", "3", "-o", "jsonl")
    assert json.loads(audit(ledger, "tail", "--last", "3", "-o", "json")[1])["items"] == list(
        map(json.loads, out.splitlines())
    )
    rows = rows_of(ledger.path)[-3:]
    assert (code, err) == (0, "")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [row[ID] for row in rows]
    assert [json.loads(line)["hash"] for line in out.splitlines()] == [row[-1].hex() for row in rows]
    assert out == "".join(audit(ledger, "export")[1].splitlines(keepends=True)[-3:])
    assert len(audit(ledger, "tail")[1].splitlines()) == 10
    assert len(audit(ledger, "tail", "--last", "999")[1].splitlines()) == len(rows_of(ledger.path))


@pytest.fixture
def followed(ledger: SignedLedger) -> Iterator[subprocess.Popen[str]]:
    words = ["audit", "tail", "--last", "1", "-f", "-o", "jsonl", "--state-dir", str(ledger.folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "zen_agents", *words], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    yield process
    process.kill()
    process.communicate()


def test_what_is_followed_comes_as_it_is_written(ledger: SignedLedger, followed: subprocess.Popen[str]) -> None:
    assert followed.stdout is not None
    assert json.loads(followed.stdout.readline())["id"] == CHECKPOINT
    clock = ManualClock(START, 9000.0)
    store = ledger.opened(clock)
    store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    store.commit()
    assert [json.loads(followed.stdout.readline())["id"] for _ in range(2)] == ["pause", CHECKPOINT]
    store.close()


def test_a_restored_copy_of_the_state_directory_verifies_too(ledger: SignedLedger, tmp_path: Path) -> None:
    shutil.copytree(ledger.folder, tmp_path / "copy")
    assert command("audit", "verify", "--state-dir", str(tmp_path / "copy")).code == 0
