"""What a look at packages is worth: due, weak and left so, or old; and never fine where something is not known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.package import PackageCheck, Telling
from zen_agents.model.observation import Observation, Status
from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness, Yanked

APP = PackageQuestion("pypi", "/srv/app/venv")
WEAK = Weakness("jinja2", "3.1.2", "CVE-1", "medium", False, "3.1.4", "")
FIX = Update("jinja2", "3.1.2", "3.1.4", ("CVE-1",), "security", "do", "security_updates: auto")
OLD = Update("click", "8.1", "8.2", (), "minor", "tell", "minor_updates: notify")
NAMES = ("due", "asked", "vulnerable", "severe", "exploited", "yanked", "outdated")


async def seen(look: PackageLook, telling: Telling = "all") -> dict[str, Observation]:
    host = SimulatedHost()
    host.packages[APP.place] = look
    check = PackageCheck("app", "environment:app", APP, telling=telling, every_seconds=3600.0, within_seconds=60.0)
    found = await check.probe(host.look(), host.clock.now())
    assert [each.name for each in found] == list(check.observes) == [f"packages.app.{name}" for name in NAMES]
    return {each.name.rpartition(".")[2]: each for each in found}


async def problems(look: PackageLook, telling: Telling = "all") -> set[str]:
    return {name for name, each in (await seen(look, telling)).items() if each.status is Status.PROBLEM}


async def test_a_fix_that_is_due_is_one_problem_and_not_two() -> None:
    found = await seen(PackageLook(3, (WEAK,), (FIX,)))
    assert found["due"].detail == "jinja2 3.1.2 -> 3.1.4 (security, CVE-1)"
    assert found["due"].value == 1.0
    assert {name for name, each in found.items() if each.status is not Status.OK} == {"due"}


@pytest.mark.parametrize("stance", ["tell", "leave"])
async def test_what_policy_leaves_stays_a_weakness(stance: str) -> None:
    assert await problems(PackageLook(3, (WEAK,), (FIX._replace(stance=stance),))) == {"vulnerable"}


async def test_what_a_step_does_not_end_stays_a_weakness() -> None:
    other = WEAK._replace(advisory="CVE-2", rating="critical")
    assert await problems(PackageLook(3, (WEAK, other), (FIX,))) == {"due", "severe"}


@pytest.mark.parametrize(
    ("weakness", "telling", "told"),
    [
        (WEAK, "all", {"vulnerable"}),
        (WEAK, "severe", set()),
        (WEAK._replace(rating="high"), "severe", {"severe"}),
        (WEAK._replace(rating="high"), "exploited", set()),
        (WEAK._replace(is_exploited=True), "exploited", {"exploited"}),
        (WEAK._replace(rating="unknown"), "all", {"vulnerable"}),
    ],
)
async def test_a_weakness_counts_once_for_what_it_is(weakness: Weakness, telling: Telling, told: set[str]) -> None:
    assert await problems(PackageLook(3, (weakness,)), telling) == told


async def test_what_a_person_is_asked_about_is_told_apart_from_what_is_due() -> None:
    asked = FIX._replace(package="flask", fixes=("CVE-2",), stance="ask")
    other = WEAK._replace(package="flask", advisory="CVE-2")
    assert await problems(PackageLook(3, (WEAK, other), (FIX, asked))) == {"due", "asked"}
    assert PackageLook(updates=(FIX, asked)).next_set == (FIX,)
    assert PackageLook(updates=(asked,)).next_set == (asked,)


async def test_old_packages_are_told_apart() -> None:
    assert await problems(PackageLook(3, updates=(OLD,))) == {"outdated"}
    assert await problems(PackageLook(3, updates=(OLD._replace(stance="do"),))) == {"due"}
    assert await problems(PackageLook(3, updates=(OLD._replace(stance="leave"),))) == set()


LOOKS = st.builds(
    PackageLook, st.integers(0, 9), st.lists(st.just(WEAK), max_size=2).map(tuple),
    st.lists(st.sampled_from([FIX, OLD]), max_size=2).map(tuple), st.just(0),
    st.lists(st.just("nobody answers"), max_size=1).map(tuple),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(LOOKS)
async def test_what_is_not_known_is_never_nothing_to_do(look: PackageLook) -> None:
    statuses = [each.status for each in (await seen(look)).values()]
    assert (Status.OK in statuses) <= (not look.untold)


async def test_a_place_that_is_not_there_is_unknown() -> None:
    host = SimulatedHost()
    check = PackageCheck("app", "environment:app", APP, telling="all", every_seconds=3600.0, within_seconds=60.0)
    assert {each.status for each in await check.probe(host.look(), host.clock.now())} == {Status.UNKNOWN}


async def test_what_its_authors_have_withdrawn_is_told_with_their_reason_and_what_is_not_known_of_that_is_not_fine() -> None:
    withdrawn = (Yanked("click", "8.1", "it eats data"), Yanked("jinja2", "3.1.2", ""))
    found = await seen(PackageLook(3, yanked=withdrawn))
    assert found["yanked"].status is Status.PROBLEM
    assert found["yanked"].detail == "click 8.1 (it eats data), jinja2 3.1.2 (no reason is given)"
    found = await seen(PackageLook(3, yanked_untold="the index is away"))
    assert (found["yanked"].status, found["yanked"].detail) == (Status.UNKNOWN, "not known: the index is away")
    assert found["due"].status is Status.OK


async def test_how_old_the_lists_are_is_said_where_all_is_fine() -> None:
    found = await seen(PackageLook(3, notes=("apt's package lists were fetched 2h ago",)))
    assert found["due"].detail == "no upgrade is due (3 packages; apt's package lists were fetched 2h ago)"
