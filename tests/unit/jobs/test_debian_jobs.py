"""What goes to the workers that deal with Debian packages, and what comes back, is what was meant, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from zen_agents.jobs import debian_look, debian_trial
from zen_agents.jobs.debian_keep import KeepReply, KeepRequest
from zen_agents.jobs.debian_look import MalformedDebianError
from zen_agents.model.debian_upgrade import (
    DebianCandidate,
    DebianChange,
    DebianLook,
    DebianQuestion,
    DebianTrial,
    DebianTried,
    TrialStep,
)

CHANGE = DebianChange("libacme1:i386", "1:1.0~rc1-2", "1:1.0-1", "i386", "acme", True, "archive")
LOOK = DebianLook(
    (DebianCandidate("app", "1.0", "1.2", ("1.1", "1.2"), True),), (CHANGE,), ("extra 1.0",), ("old",), ("app: 10 %",),
    ("acme.service",), ("web.service",), "no", "half done", True, ("a list is missing",),
)  # fmt: skip
ASKED = DebianQuestion(("app=1.1",), 60.5)
TRIAL = DebianTrial(("app=1.1",), True, ("/bin/sh",), ("/bin/true", "a b"), "nobody", 7, 8.5)
TRIED = DebianTried((TrialStep("apt-get check", 100, "E: no", 0.5),), "it failed", "")
KEEP, KEPT = KeepRequest("/var/lib/zen-agents/packages", (CHANGE,)), KeepReply(("a.deb",), "")

JOBS: list[tuple[object, Callable[[Any], str], Callable[[str], object]]] = [
    (ASKED, debian_look.request_to_json, debian_look.request_from_json),
    (LOOK, debian_look.reply_to_json, debian_look.reply_from_json),
    (TRIAL, debian_trial.request_to_json, debian_trial.request_from_json),
    (TRIED, debian_trial.reply_to_json, debian_trial.reply_from_json),
    (KEEP, KeepRequest.to_json, KeepRequest.from_json),
    (KEPT, KeepReply.to_json, KeepReply.from_json),
]


@pytest.mark.parametrize(("meant", "write", "read"), JOBS)
def test_each_comes_through_as_it_was(meant: object, write: Callable[[Any], str], read: Callable[[str], object]) -> None:
    assert read(write(meant)) == meant


@pytest.mark.parametrize(("meant", "write", "read"), JOBS)
def test_what_is_not_what_was_agreed_is_refused(
    meant: object, write: Callable[[Any], str], read: Callable[[str], object]
) -> None:
    right = json.loads(write(meant))
    wrong: list[object] = [[], {**right, "more": 1}, "x"]
    wrong += [{**right, name: odd} for name in right for odd in (None, {"a": 1}, [1], ["x" * 5000])]
    for value in wrong:
        with pytest.raises(MalformedDebianError):
            read(json.dumps(value))
    with pytest.raises(MalformedDebianError):
        read("{")


def test_what_programs_say_is_cut_before_it_leaves() -> None:
    long = TRIED._replace(steps=(TrialStep("w" * 5000, 1, "s" * 5000, 1.0),), failed="f" * 5000)
    found = debian_trial.reply_from_json(debian_trial.reply_to_json(long))
    assert (len(found.steps[0].words), len(found.steps[0].said), len(found.failed)) == (1000, 1000, 1000)
