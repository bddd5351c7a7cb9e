"""Which installed releases were withdrawn, as an index says that speaks JSON or HTML, lies, or is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.index_server import IndexServer, index_server
from tests.support.wheelhouse import write_wheel
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.packages_withdrawn import Withdrawn, withdrawn
from zen_agents.model.package_look import Yanked
from zen_agents.packages.package import Ecosystem, package

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
INSTALLED = [package(Ecosystem.PYPI, *each, "/srv/app") for each in (("acme-lib", "1.0"), ("app", "1"), ("own", "2"))]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexServer]:
    for name, version in (("Acme_Lib", "1.0"), ("Acme_Lib", "1.1"), ("app", "1.0")):
        write_wheel(tmp_path / "wheels", name, version)
    with index_server(tmp_path / "wheels") as serving:
        serving.yanked["acme_lib-1.0-py3-none-any.whl"] = "it eats <data>"
        yield serving


def found(index: IndexServer, kept_in: Path | None = None, *, now: datetime = NOW) -> Withdrawn:
    cache = AdvisoryCache(kept_in, now)
    try:
        return withdrawn(
            INSTALLED, f"{index.url.replace('http://', 'http://me:it@')}/simple", cache, now, timedelta(hours=1)
        )
    finally:
        cache.close()


@pytest.mark.parametrize("speaks_json", [True, False])
def test_a_release_whose_files_were_all_withdrawn_is_told_with_the_reason(index: IndexServer, speaks_json: bool) -> None:
    index.speaks_json = speaks_json
    # What the index does not have was published elsewhere.
    assert found(index) == Withdrawn((Yanked("acme-lib", "1.0", "it eats <data>"),))
    index.yanked["acme_lib-1.0-py3-none-any.whl"] = ""
    assert found(index).releases == (Yanked("acme-lib", "1.0", ""),)
    index.yanked.clear()
    index.yanked["acme_lib-1.1-py3-none-any.whl"] = "another one"
    assert found(index) == Withdrawn()


def test_what_it_answered_is_kept_for_as_long_as_answers_of_others(index: IndexServer, tmp_path: Path) -> None:
    before = found(index, tmp_path)
    index.yanked.clear()
    assert found(index, tmp_path) == before
    assert found(index, tmp_path, now=NOW + timedelta(hours=2)) == Withdrawn()


def test_garbage_about_one_and_an_index_that_is_away_are_not_known_and_never_fine(index: IndexServer) -> None:
    index.garbage.add("app")
    told = found(index)
    assert told.releases == (Yanked("acme-lib", "1.0", "it eats <data>"),)
    assert "which of 1 installed releases were withdrawn is not known" in told.untold
    index.url = "http://127.0.0.1:9"
    away = found(index)
    assert (away.releases, "of 3 installed" in away.untold) == ((), True)
    assert "me:it" not in away.untold
