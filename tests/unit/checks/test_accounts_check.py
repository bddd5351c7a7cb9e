"""Accounts and keys that were not there before, over real files; what is known outlives a restart."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.accounts import NEW_KEY, NEW_USER, AccountsCheck
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.logs.security.authorized_keys import key_in
from zen_agents.model.observation import Observation, Status, shared_in
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState


def key(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def fingerprint(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode().rstrip("=")


@dataclass
class Files:
    """The files of a real host, but for /etc/passwd, which a test writes."""

    root: Path
    accounts: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._view = LinuxHost(self.root / "state").look()

    def read_text(self, path: str, *, limit: int) -> str:
        if path == "/etc/passwd":
            lines = (f"{name}:x:{uid}:{uid}::{self.root}/{name}:/bin/sh\n" for uid, name in enumerate(self.accounts, 1000))
            return "".join(lines) + "odd line\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
        return self._view.read_text(path, limit=limit)

    def file(self, path: str) -> FileState | None:
        if path in self.hidden:
            raise HostError(f"{path}: Permission denied")
        return LinuxHost(self.root / "state").look().file(path)


class Watched:
    """Looks at accounts; `restart` goes on in a new engine from what was kept."""

    def __init__(self, root: Path) -> None:
        self.files, self._seconds = Files(root, ["root", "bob"]), 0.0
        self.check = self._made()

    def _made(self) -> AccountsCheck:
        return AccountsCheck(tell_for_seconds=600.0, every_seconds=60.0)

    def look(self, after: float = 60.0) -> dict[str, Observation]:
        self._seconds += after
        now = Instant(datetime.fromtimestamp(1_800_000_000 + self._seconds, UTC), self._seconds)
        return {seen.name: seen for seen in self.check.observe(cast("HostView", self.files), now)}

    def restart(self) -> None:
        memory: Any = json.loads(json.dumps(self.check.memory()))
        self.check = self._made()
        self.check.recall(memory)

    def keys(self, account: str, *lines: str) -> str:
        path = self.files.root / account / ".ssh" / "authorized_keys"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_what_is_there_at_the_first_look_is_known(watched: Watched) -> None:
    watched.keys("bob", f"ssh-ed25519 {key('a')} bob@laptop")
    seen = watched.look()
    assert {name: each.status for name, each in seen.items()} == {NEW_USER: Status.OK, NEW_KEY: Status.OK}
    assert seen[NEW_KEY].detail == "1 are known"


def test_a_key_that_came_is_told_with_its_fingerprint_for_a_while_and_not_itself(watched: Watched) -> None:
    old = f"ssh-ed25519 {key('a')} bob@laptop"
    watched.keys("bob", old)
    watched.look()
    watched.keys("bob", "# a comment", old, f'from="10.0.0.1 ",no-pty ssh-rsa {key("b")} eve \x1b[31m')
    seen = watched.look()[NEW_KEY]
    assert (seen.status, seen.value) == (Status.PROBLEM, 1.0)
    assert seen.facts["line 1"].startswith(f"bob: ssh-rsa SHA256:{fingerprint('b')} eve")
    assert seen.facts["line 1"].endswith('with options from="10.0.0.1 ",no-pty')
    assert key("b") not in str(seen)
    assert shared_in(seen.facts) == {("user", "bob")}
    assert watched.look()[NEW_KEY].status is Status.PROBLEM
    assert watched.look(after=600.0)[NEW_KEY].status is Status.OK


def test_an_account_that_came_is_told_and_a_restart_tells_nothing_twice_and_misses_nothing(watched: Watched) -> None:
    watched.look()
    watched.restart()
    watched.files.accounts.append("eve")
    seen = watched.look()
    assert (seen[NEW_USER].status, seen[NEW_USER].detail) == (Status.PROBLEM, "eve (user id 1002)")
    watched.restart()
    assert watched.look(after=5.0)[NEW_USER].detail == "eve (user id 1002)"
    watched.restart()
    assert watched.look(after=600.0)[NEW_USER].status is Status.OK


def test_what_is_taken_out_and_put_back_is_new_again(watched: Watched) -> None:
    line = f"ssh-ed25519 {key('a')}"
    watched.keys("bob", line)
    watched.look()
    watched.keys("bob", "")
    watched.look()
    watched.keys("bob", line)
    assert watched.look()[NEW_KEY].status is Status.PROBLEM


def test_keys_that_cannot_be_read_are_unknown_and_no_news_afterwards(watched: Watched) -> None:
    path = watched.keys("bob", f"ssh-ed25519 {key('a')}")
    watched.look()
    watched.files.hidden.add(path)
    seen = watched.look()[NEW_KEY]
    assert (seen.status, seen.detail) == (Status.UNKNOWN, f"{path} cannot be read")
    watched.files.hidden.clear()
    assert watched.look()[NEW_KEY].status is Status.OK


def test_what_cannot_have_been_kept_is_left_out(watched: Watched) -> None:
    for memory in ({"known": 3}, {"known": {NEW_USER: "x", NEW_KEY: [3]}, "told": [["x", "y", 1], [NEW_KEY, 1, 2], 7]}):
        watched.check.recall(memory)
        assert watched.look()[NEW_USER].status is Status.OK


@pytest.mark.parametrize(
    "line", ["", "#ssh-rsa AAAA x", "ssh-rsa", "ssh-rsa !!!", "root:x:0:0::/root:/bin/sh", 'from="ssh-rsa AAAA']
)
def test_a_line_without_a_key_is_none(line: str) -> None:
    assert key_in(line) is None
