"""Versions are ordered as their ecosystem orders them; what is no version is refused, never guessed."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zen_agents.packages.package import Ecosystem
from zen_agents.packages.versions import debian
from zen_agents.packages.versions.order import InvalidVersionError, key_of

#: Each list from the earliest to the latest.
IN_ORDER = {
    Ecosystem.DEBIAN: [
        # The policy's own example of tildes, then how digits, letters, epochs and revisions go before each other.
        ("~~", "~~a", "~", "0", "a"),
        ("1.0~rc1-1", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1.1", "1.0-2", "1.0a-1", "1.0+dfsg-1"),
        ("2.36-9+deb12u4", "2.36-9+deb12u10", "2.40", "1:0.1", "2:0.0~", "10:0"),
        ("1.2", "1.2-1", "1.2--1"),
    ],
    Ecosystem.PYPI: [
        ("1.0.dev1", "1.0a1", "1.0a2.post1", "1.0rc1", "1.0", "1.0+local.1", "1.0.post1", "1.0.1", "1.10", "1!0.1"),
    ],
    Ecosystem.NPM: [
        ("1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.10.0"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("ecosystem", "versions"), [(ecosystem, versions) for ecosystem, lists in IN_ORDER.items() for versions in lists]
)
def test_each_comes_before_all_that_follow_it(ecosystem: Ecosystem, versions: tuple[str, ...]) -> None:
    key = key_of(ecosystem)
    for earlier, later in itertools.combinations(versions, 2):
        assert key(earlier) < key(later), (earlier, later)
        assert not key(later) <= key(earlier), (earlier, later)


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [
        (Ecosystem.DEBIAN, "1.0", "0:1.0-0"),
        (Ecosystem.DEBIAN, "1.0-1", "1.00-01"),
        (Ecosystem.DEBIAN, "1.", "1.0"),
        (Ecosystem.PYPI, "1.0", "v1"),
        (Ecosystem.PYPI, "1.0-1", "1.0.post1"),
        (Ecosystem.NPM, "1.0.0+a", "1.0.0+b"),
    ],
)
def test_versions_that_mean_the_same(ecosystem: Ecosystem, one: str, other: str) -> None:
    assert key_of(ecosystem)(one) == key_of(ecosystem)(other)


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [
        *(
            (Ecosystem.DEBIAN, version)
            for version in ("", "1:", ":1", "a:1", "1-", "-1", "1 2", "1_2", "1\n", "2147483648:1")
        ),
        *((Ecosystem.PYPI, version) for version in ("", "2004d", "1.0-local!", "1.*", "latest")),
        *((Ecosystem.NPM, version) for version in ("", "1", "1.2", "v1.2.3", "01.2.3", "*", "git+ssh://x", "1.2.3\n")),
        *((ecosystem, "9" * 5000) for ecosystem in Ecosystem),
    ],
)
def test_what_is_no_version_is_refused(ecosystem: Ecosystem, version: str) -> None:
    with pytest.raises(InvalidVersionError) as refused:
        key_of(ecosystem)(version)
    assert len(str(refused.value)) < 200


_PART = st.text("019a.Z+~", min_size=1, max_size=6)
_VERSION = st.builds(
    lambda epoch, upstream, revision: f"{epoch}{upstream}{revision}",
    st.sampled_from(("", "0:", "1:")), _PART, st.one_of(st.just(""), _PART.map("-{}".format)),
)  # fmt: skip


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg itself is not here to be asked")
@settings(max_examples=150, deadline=None)
@given(_VERSION, _VERSION)
@example("1.0~", "1.0")
@example("0", "~")
def test_dpkg_says_the_same(one: str, other: str) -> None:
    relation = "lt" if debian.key(one) < debian.key(other) else "gt" if debian.key(other) < debian.key(one) else "eq"
    done = subprocess.run(["dpkg", "--compare-versions", one, relation, other], capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (one, relation, other)
