"""Name servers that stand in for others, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.model.resolver_file import given_back, read_resolver_file, switched

PLAIN = "# made by hand\nsearch internal\nnameserver 192.0.2.1\noptions timeout:1\nnameserver 192.0.2.2\n"
SERVERS = st.lists(st.sampled_from(["127.0.0.1", "192.0.2.9", "::1"]), min_size=1, max_size=4)


def test_what_a_file_names_is_read_as_the_c_library_reads_it() -> None:
    text = "nameserver 1.1.1.1 # first\n nameserver 2.2.2.2\nnameservers 3.3.3.3\nnameserver\n#nameserver 4.4.4.4\n"
    assert read_resolver_file(text).servers == ("1.1.1.1",)
    assert len(read_resolver_file("nameserver 1.1.1.1\n" * 5).servers) == 3


def test_others_stand_in_and_everything_else_stays() -> None:
    text = switched(PLAIN, ["127.0.0.2"])
    assert read_resolver_file(text).servers == ("127.0.0.2",)
    assert read_resolver_file(text).former == ("192.0.2.1", "192.0.2.2")
    assert "nameserver 127.0.0.2" in text.splitlines() and "search internal" in text.splitlines()
    assert given_back(text) == PLAIN
    assert given_back(PLAIN) == PLAIN and not read_resolver_file(PLAIN).is_switched


def test_a_second_switch_remembers_what_was_there_at_first() -> None:
    twice = switched(switched(PLAIN, ["127.0.0.2"]), ["127.0.0.3"])
    assert read_resolver_file(twice).servers == ("127.0.0.3",)
    assert given_back(twice) == PLAIN


@pytest.mark.parametrize("change", ["nameserver 9.9.9.9\n", "nameserver 127.0.0.2\n"])
def test_what_somebody_wrote_since_is_theirs(change: str) -> None:
    text = switched(PLAIN, ["127.0.0.2"]) + change
    assert not read_resolver_file(text).is_switched
    assert given_back(text) == text
    with pytest.raises(ValueError, match="somebody changed"):
        switched(text, ["127.0.0.3"])


def test_a_file_that_names_nobody_is_not_switched() -> None:
    with pytest.raises(ValueError, match="no name server"):
        switched("search internal\n", ["127.0.0.2"])


@given(lines=st.lists(st.one_of(st.text(max_size=20), SERVERS.map(lambda each: f"nameserver {each[0]}"))), servers=SERVERS)
def test_whatever_stood_there_comes_back_to_the_letter(lines: list[str], servers: list[str]) -> None:
    text = "\n".join([*lines, "nameserver 192.0.2.77", "end"])
    if read_resolver_file(text).is_switched:
        return
    there = switched(text, servers)
    assert read_resolver_file(there).servers == tuple(servers[:3])
    assert given_back(there) == text
