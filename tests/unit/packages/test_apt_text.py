"""What apt prints, read: no step is passed over, whatever a line holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.packages.apt_text import (
    SimulatedInstall,
    UnreadableOutputError,
    automatic,
    records,
    refusal,
    simulated,
    versions,
)

_NAME = st.from_regex(r"[a-z0-9][a-z0-9+.-]{1,20}(:i386)?", fullmatch=True)
_VERSION = st.from_regex(r"([0-9]:)?[0-9][A-Za-z0-9.+~-]{0,12}", fullmatch=True)
_ORIGIN = st.sampled_from(
    ["localhost", "Debian:12.5/stable", "Debian:12.5/stable, Debian-Security:12/stable-security", "a (b) [c]"]
)
_INSTALLS = st.lists(st.tuples(_NAME, st.one_of(st.just(""), _VERSION), _VERSION, _ORIGIN), max_size=8)

POLICY = """app:
  Installed: 1.0
  Candidate: 1.2
  Version table:
     1.3 -1
        500 file:/srv/repo ./ Packages
     1.2 990
        990 file:/srv/repo ./ Packages
     1.1 500
        500 http://deb.example.org/debian bookworm/main amd64 Packages
 *** 1.0 100
        100 /var/lib/dpkg/status
     0.9 500
        500 file:/srv/repo ./ Packages
none:
  Installed: (none)
  Candidate: 5
  Version table:
     5 500
        500 file:/srv/repo ./ Packages
"""


@given(_INSTALLS, st.lists(_NAME, max_size=4), st.text(max_size=40))
def test_every_step_is_read_in_its_order_and_what_stands_between_is_not(
    installs: list[tuple[str, str, str, str]], removes: list[str], noise: str
) -> None:
    noise = "".join(each for each in noise if each.isprintable())
    lines = [f"Inst {name}{f' [{old}]' if old else ''} ({new} {origin} [amd64]) []" for name, old, new, origin in installs]
    lines += [f"Remv {name} [1.0]" for name in removes] + [
        f"Conf {name} ({new} {origin} [amd64])" for name, _, new, origin in installs
    ]
    found = simulated("\n".join([f"  {noise}", *lines, "The following packages will be upgraded:"]))
    assert found.installs == tuple(SimulatedInstall(name, old, new, "amd64") for name, old, new, _ in installs)
    assert found.removes == tuple(removes)


@pytest.mark.parametrize("line", ["Inst app", "Inst app [1.0]", "Remv ", "Inst app [1.0] (1.1)", "Inst  (1 x [all])"])
def test_a_step_that_is_not_understood_is_an_error(line: str) -> None:
    with pytest.raises(UnreadableOutputError):
        simulated(f"Reading package lists...\n{line}\n")


def test_what_could_be_had_stands_above_what_is_installed() -> None:
    app, none = versions(POLICY)
    # What a pin forbids cannot be had.
    assert (app.installed, app.candidate, app.later) == ("1.0", "1.2", ("1.1", "1.2"))
    assert (none.installed, none.candidate, none.later) == ("", "5", ())


@pytest.mark.parametrize(
    "text", ["N: Unable to locate package", "app:\n  Candidate: 1\n", "app:\n", "app\n  Installed: 1\n"]
)
def test_another_answer_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableOutputError):
        versions(text)


@given(st.text())
def test_whatever_is_printed_is_read_or_refused(text: str) -> None:
    for read in (simulated, versions, records, automatic):
        try:
            read(text)
        except UnreadableOutputError as error:
            assert str(error), "a refusal says why"


def test_a_refusal_says_what_apt_complains_of() -> None:
    said = "Reading...\n app : Depends: lib (>= 2) but 1 is to be installed\nE: Unable to correct problems.\n"
    assert refusal(said) == "app : Depends: lib (>= 2) but 1 is to be installed; Unable to correct problems."
    assert refusal("nothing") == "apt-get failed and did not say why"


def test_what_is_known_of_versions_is_kept_apart() -> None:
    text = "Package: a\nVersion: 1\nDescription: x\n more: of it\nFilename: ./a\n\nPackage: a\nVersion: 2\nSource: b (3)\n\n"
    found = records(text)
    assert found["a", "1"] == {"Package": "a", "Version": "1", "Description": "x", "Filename": "./a"}
    assert found["a", "2"]["Source"] == "b (3)"
    assert automatic("Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nAuto-Installed: 0\n") == {
        "a",
        "a:amd64",
    }
