"""What goes to the worker that looks at packages, and what comes back, is what was meant, or it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zen_agents.jobs.package_look import (
    MOST_TOLD,
    MalformedPackagesError,
    reply_from_json,
    reply_to_json,
    request_from_json,
    request_to_json,
)
from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness, Yanked

ASKED = PackageQuestion(
    "pypi", "/srv/äpp", osv=("https://osv.example", "/srv/osv"), ignore=(("CVE-1", "not used", "2027-01-01", ""),),
    max_age_seconds=60.5, refresh_after_seconds=86400.0, hold=("post*",),
)  # fmt: skip
WEAK = Weakness("jinja2", "3.1.2", "CVE-1", "high", True, "3.1.4", "it can be made to say anything")
UPDATE = Update("jinja2", "3.1.2", "3.1.4", ("CVE-1",), "security", "do", "security_updates: auto")
YANKED = Yanked("jinja2", "3.1.2", "it eats data")
LOOK = PackageLook(
    12, (WEAK,), (UPDATE,), 2, ("nobody answers",), (YANKED,), "an index is away", ("the lists are an hour old",)
)


def test_both_come_through_as_they_were() -> None:
    assert request_from_json(request_to_json(ASKED)) == ASKED
    assert reply_from_json(reply_to_json(LOOK)) == LOOK
    assert LOOK.due == (UPDATE,)


def test_long_texts_and_lists_are_cut_before_they_leave() -> None:
    long = LOOK._replace(weaknesses=(WEAK._replace(summary="x" * 5000),) * (MOST_TOLD + 7), untold=("y" * 5000,))
    found = reply_from_json(reply_to_json(long))
    assert (len(found.weaknesses), len(found.weaknesses[0].summary), len(found.untold[0])) == (MOST_TOLD, 1000, 1000)


def changed(**parts: Any) -> str:
    reply = json.loads(reply_to_json(LOOK))
    reply["look"].update(parts)
    return json.dumps(reply)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"version": 2}', "[" * 100_000, '{"version": 1, "look": []}', changed(packages="12"),
        changed(packages=-1), changed(packages=True), changed(weaknesses={}), changed(weaknesses=[{}]), changed(updates=[1]),
        changed(updates=[{**UPDATE._asdict(), "fixes": "CVE-1"}]), changed(more=1), changed(untold=[None]),
        changed(weaknesses=[{**WEAK._asdict(), "is_exploited": "no"}]), changed(notes="x"),
        changed(yanked=[{**YANKED._asdict(), "reason": None}]), changed(untold=["x"] * (MOST_TOLD + 1)),
    ],
)  # fmt: skip
def test_a_reply_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedPackagesError):
        reply_from_json(text)


@pytest.mark.parametrize(
    "parts", [{"max_age_seconds": "1"}, {"refresh_after_seconds": -1}, {"ignore": [["CVE-1"]]}, {"osv": "x"}, {"place": 7}]
)
def test_a_request_that_is_none_is_refused(parts: dict[str, Any]) -> None:
    asked = json.loads(request_to_json(ASKED))
    with pytest.raises(MalformedPackagesError):
        request_from_json(json.dumps({"version": 1, "asked": {**asked["asked"], **parts}}))
