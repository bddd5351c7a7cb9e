"""What goes to the worker that asks pools, and what comes back, is what was meant, or it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zen_agents.jobs.pool_look import MalformedPoolError, PoolReply, PoolRequest
from zen_agents.model.pool import MOST_SESSIONS, PoolLook, PoolQuestion, PoolSession

SESSION = PoolSession(7, "2026-01-04 03:20:00.5+00", "2026-01-04 03:21:00+00", "idle in transaction", "wéb", "10.0.0.5")
ASKED = PoolQuestion("postgres", "[::1]:5432", "zen", "postgres", "app", idle_seconds=3.5)


@pytest.mark.parametrize("end", [(), (SESSION,)])
def test_a_request_comes_through_as_it_was(end: tuple[PoolSession, ...]) -> None:
    request = PoolRequest(ASKED, 5.0, end)
    assert PoolRequest.from_json(request.to_json()) == request


@pytest.mark.parametrize(
    "reply",
    [
        PoolReply(PoolLook(17, 20, "the server", 16, (SESSION,), "today")),
        PoolReply(PoolLook(untold="no answer")),
        PoolReply(ended=(7, 8), left=(9,)),
        PoolReply(refused="no right"),
    ],
)
def test_a_reply_comes_through_as_it_was(reply: PoolReply) -> None:
    assert PoolReply.from_json(reply.to_json()) == reply


def test_long_texts_are_cut_before_they_leave() -> None:
    reply = PoolReply(PoolLook(untold="x" * 5000, forgotten=(SESSION._replace(application="y" * 5000),)))
    found = PoolReply.from_json(reply.to_json()).look
    assert (len(found.untold), len(found.forgotten[0].application)) == (1000, 1000)


def changed(**parts: Any) -> str:
    reply = json.loads(PoolReply(PoolLook(17, 20, "the server", 16, (SESSION,))).to_json())
    reply["look"].update({name: value for name, value in parts.items() if name in reply["look"]})
    reply.update({name: value for name, value in parts.items() if name not in reply["look"]})
    return json.dumps(reply)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"version": 2}', "[" * 100_000, changed(used="17"), changed(used=True), changed(used=-1),
        changed(scarce=None), changed(ended={}), changed(left=None), changed(ended=["7"]), changed(refused=7),
        changed(look=[]), changed(forgotten={}), changed(forgotten=[{}]),
        changed(forgotten=[SESSION._asdict()] * (MOST_SESSIONS + 1)), changed(forgotten=[{**SESSION._asdict(), "pid": "7"}]),
    ],
)  # fmt: skip
def test_a_reply_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedPoolError):
        PoolReply.from_json(text)


@pytest.mark.parametrize("asked", [None, {}, {"kind": "postgres"}])
def test_a_request_that_is_none_is_refused(asked: object) -> None:
    job = json.loads(PoolRequest(ASKED, 5.0).to_json())
    with pytest.raises(MalformedPoolError):
        PoolRequest.from_json(json.dumps({**job, "asked": asked}))
    with pytest.raises(MalformedPoolError):
        PoolRequest.from_json(json.dumps({**job, "within_seconds": "5"}))
