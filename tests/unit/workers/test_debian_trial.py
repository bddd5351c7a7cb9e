"""What a trial makes of a host's mounts, and where it does not begin; the trial itself runs on a disposable host."""

from __future__ import annotations

import os

import pytest

from zen_agents.jobs.debian_trial import request_to_json
from zen_agents.model.debian_upgrade import DebianTrial
from zen_agents.workers import debian_trial
from zen_agents.workers.debian_trial_root import MountPoint, mount_points

MOUNTS = r"""22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /srv/a\040b rw shared:2 master:1 - xfs /dev/sdb1 rw
broken
"""


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    assert list(mount_points(MOUNTS)) == [
        MountPoint("/", "ext4"),
        MountPoint("/proc", "proc"),
        MountPoint("/srv/a b", "xfs"),
    ]


def test_without_root_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian_trial.tried(request_to_json(DebianTrial(("app=1",)))).untried == "a copy of the root needs root"


def test_without_its_programs_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, path: None if name == "ldd" else name)
    assert debian_trial.tried(request_to_json(DebianTrial(("app=1",)))).untried == "a copy of the root needs ldd"
