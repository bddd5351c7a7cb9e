"""Which upgrade is the least, by real uv: from directories of wheels, and from an index that may lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index_server import IndexServer, index_server
from tests.support.upgrading import UpgradeSite, upgrade_site, why_no_trials
from tests.support.wheelhouse import install, uv_lock, write_wheel
from zen_agents.errors import HostError, RefusedError
from zen_agents.model.environment import Environment, Resolution, Wanted
from zen_agents.packages.rewriting import rewritten

pytestmark = pytest.mark.skipif(bool(why_no_trials()), reason=why_no_trials() or "it can")

WANTED = (Wanted("Acme_Lib", "1.1", ("A-1",)),)


@pytest.fixture(scope="module")
def made() -> Iterator[UpgradeSite]:
    with upgrade_site() as site:
        write_wheel(site.wheels, "gone", "1.0")
        install(site.venv, site.wheels, ["gone"])
        # What is installed need not be had again.
        (site.wheels / "gone-1.0-py3-none-any.whl").unlink()
        yield site


@pytest.fixture
def site(made: UpgradeSite) -> Iterator[UpgradeSite]:
    """The environment is only looked at; wheels that a test adds are taken away again."""
    before = {path: path.read_bytes() for path in made.wheels.iterdir()}
    yield made
    for path in made.wheels.iterdir():
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


@pytest.fixture
def index(site: UpgradeSite) -> Iterator[IndexServer]:
    with index_server(site.wheels) as serving:
        yield serving


def resolved(
    site: UpgradeSite, index: IndexServer | None = None, requirements: str = "", wanted: tuple[Wanted, ...] = WANTED
) -> Resolution:
    wheels = () if index is not None else (str(site.wheels),)
    user = str(site.params()["user"])
    asked = Environment(str(site.venv), user, wheels, f"{index.url}/simple" if index is not None else "", requirements)
    return site.host.look().environment_upgrade(asked, wanted, 30.0)


def steps(found: Resolution) -> list[str]:
    assert found.conflict == ""
    return [f"{step.name} {step.installed}->{step.wanted} {step.kind}" for step in found.steps]


def lock(site: UpgradeSite, text: str) -> str:
    path = site.directory / "requirements.lock"
    path.write_text(text)
    return str(path)


def test_the_lowest_version_that_will_do_is_taken_by_whatever_name_it_was_asked_for(site: UpgradeSite) -> None:
    site.write_lib("1.3")
    site.write_lib("2.0")
    found = resolved(site)
    assert steps(found) == ["acme-lib 1.0->1.2 security"]
    assert found.steps[0].fixes == ("A-1",)
    assert found.freeze == "acme-lib==1.0\napp==1.0\ngone==1.0\n"


def test_what_is_installed_already_is_nothing_to_do(site: UpgradeSite) -> None:
    assert resolved(site, wanted=(Wanted("acme-lib", "1.0"), Wanted("not-installed", "1"))).steps == ()


def test_as_little_as_possible_comes_along(site: UpgradeSite) -> None:
    site.write_lib("1.2", needs=["app>=1.1", "extra"])
    for version in ("1.1", "1.2"):
        write_wheel(site.wheels, "app", version, needs=["acme-lib"])
    write_wheel(site.wheels, "extra", "3")
    assert steps(resolved(site)) == ["acme-lib 1.0->1.2 security", "app 1.0->1.1 minor", "extra ->3 "]


def test_why_nothing_can_be_done_is_said_in_the_resolvers_words(site: UpgradeSite) -> None:
    site.write_lib("1.2", needs=["app>=2"])
    assert resolved(site).conflict.startswith("Because only app==1.0 is available and acme-lib>=1.2 depends on app>=2,")


@pytest.mark.parametrize("form", ["json", "html"])
def test_an_index_is_asked_and_its_hashes_are_what_is_allowed(site: UpgradeSite, index: IndexServer, form: str) -> None:
    index.speaks_json = form == "json"
    found = resolved(site, index)
    assert steps(found) == ["acme-lib 1.0->1.2 security"]
    assert found.pins[0].hashes == (f"sha256:{index.files('acme-lib')[-1]['hashes']['sha256']}",)


def test_a_yanked_release_is_never_chosen(site: UpgradeSite, index: IndexServer) -> None:
    site.write_lib("1.3")
    index.yanked["acme_lib-1.2-py3-none-any.whl"] = "it eats data"
    assert steps(resolved(site, index)) == ["acme-lib 1.0->1.3 security"]


def test_garbage_and_silence_are_not_known_and_never_nothing_to_do(site: UpgradeSite, index: IndexServer) -> None:
    index.garbage.add("acme-lib")
    found = _outcome(site, index)
    assert "acme-lib" in found
    index.garbage.clear()
    index.wheels = Path("/nonexistent")
    assert "acme-lib" in _outcome(site, index)


def _outcome(site: UpgradeSite, index: IndexServer) -> str:
    try:
        return resolved(site, index).conflict
    except HostError as error:
        return str(error)


def test_a_lock_says_which_version_and_its_hashes_alone_are_allowed(site: UpgradeSite, index: IndexServer) -> None:
    site.write_lib("1.3")
    wanted = f"sha256:{'0' * 64}"
    text = f"# by hand\nacme-lib==1.3 \\\n    --hash={wanted}\napp==1.0\n"
    found = resolved(site, index, lock(site, text))
    assert steps(found) == ["acme-lib 1.0->1.3 security"]
    assert found.pins[0].hashes == (wanted,)


def test_a_lock_with_the_old_version_is_rewritten_and_nothing_else_in_it(site: UpgradeSite) -> None:
    two = " \\\n    ".join(f"--hash=sha256:{digit * 64}" for digit in "12")
    rest = "    # via app\napp==1.0  # ours\n"
    old = f"# by hand\nAcme.Lib==1.0 \\\n    {two}\n{rest}"
    found = resolved(site, None, lock(site, old))
    assert found.rewrite is not None
    assert len(found.rewrite.edits) == 1
    assert rewritten(old, found.rewrite) == f"# by hand\nacme-lib==1.2 \\\n    --hash={found.pins[0].hashes[0]}\n{rest}"


def test_a_lock_of_uv_says_which_version_and_hashes_and_its_project_what_may_be(site: UpgradeSite) -> None:
    site.write_lib("1.3")
    wanted = f"sha256:{'0' * 64}"
    locked = site.directory / "uv.lock"
    wheel = f"{{url = 'https://example.org/', hash = '{wanted}'}}"
    locked.write_text(f"version = 1\n[[package]]\nname = 'acme-lib'\nversion = '1.3'\nwheels = [{wheel}]\n")
    project = site.directory / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\nversion = '1'\ndependencies = ['acme-lib<2']\n")
    found = resolved(site, None, str(locked))
    assert steps(found) == ["acme-lib 1.0->1.3 security"]
    assert (found.pins[0].hashes, found.rewrite, found.unwritten) == ((wanted,), None, "")
    project.write_text("[project]\nname = 'x'\nversion = '1'\ndependencies = ['acme-lib<1.1']\n")
    assert "acme-lib<1.1" in resolved(site, None, str(locked)).conflict
    locked.write_text("version = ")
    with pytest.raises(HostError, match=r"uv\.lock cannot be read"):
        resolved(site, None, str(locked))


@pytest.mark.parametrize("where", ["its_own_settings", "relative_to_it", "an_index", "nowhere_in_it"])
def test_a_lock_of_uv_becomes_what_uv_itself_makes_of_it_and_is_left_as_it_is(
    site: UpgradeSite, index: IndexServer, where: str
) -> None:
    settings = {
        "its_own_settings": f"[tool.uv]\nfind-links = ['{site.wheels}']\nno-index = true",
        "relative_to_it": "[tool.uv]\nfind-links = ['../wheels']\nno-index = true",
        "nowhere_in_it": "",
        "an_index": f"[[tool.uv.index]]\nurl = '{index.url}/simple'\ndefault = true",
    }
    from_where = ("--no-index", "--find-links", str(site.wheels)) if where == "nowhere_in_it" else ()
    locked = site.lock_project(settings[where], from_where=from_where)
    before, beside = locked.read_text(), sorted(locked.parent.iterdir())
    found = resolved(site, index if where == "an_index" else None, str(locked))
    assert (steps(found), found.unwritten) == (["acme-lib 1.0->1.2 security"], "")
    assert (locked.read_text(), sorted(locked.parent.iterdir())) == (before, beside)
    assert found.rewrite is not None

    uv_lock(locked.parent, *from_where, "--upgrade-package", "acme-lib==1.2")
    assert locked.read_text() == rewritten(before, found.rewrite)
    assert [line for line in locked.read_text().splitlines() if "acme_lib-1.2" in line]


def test_a_lock_of_uv_that_cannot_be_made_to_say_so_is_told_with_the_reason(site: UpgradeSite) -> None:
    built = site.lock_project()
    project = built.with_name("pyproject.toml")
    # Its version would have to be built, which is never done.
    project.write_text(project.read_text().replace("version = '1'", "dynamic = ['version']"))
    found = resolved(site, None, str(built))
    assert steps(found) == ["acme-lib 1.0->1.2 security"]
    assert found.rewrite is None
    assert "uv lock:" in found.unwritten


def test_what_a_requirements_file_forbids_is_not_done(site: UpgradeSite) -> None:
    assert "acme-lib<1.1" in resolved(site, None, lock(site, "acme-lib<1.1\n")).conflict


def test_a_requirement_that_is_none_is_told_with_its_place(site: UpgradeSite) -> None:
    with pytest.raises(HostError, match=r"requirements\.lock:2 is no requirement"):
        resolved(site, None, lock(site, "app==1.0\nacme lib ==\n"))


def test_an_interpreter_that_moved_is_told(site: UpgradeSite) -> None:
    python = site.venv / "bin" / "python"
    where = python.readlink()
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    try:
        with pytest.raises((HostError, RefusedError), match="python"):
            resolved(site)
    finally:
        python.unlink()
        python.symlink_to(where)
