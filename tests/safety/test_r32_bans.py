"""R17 and R32 of a ban: whatever a client calls itself, and whoever writes to a log, no other address pays for it.

In all of this every address there is counts as connected, so that nothing but the reading of the lines and the lists of who
is never banned stands between a hostile line and the firewall.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.banning import LOG, POLICY, agent
from zen_agents.actions.ban_address import BanAddress
from zen_agents.errors import ZenError
from zen_agents.model.action import ActionRequest
from zen_agents.model.address import Address, address_of
from zen_agents.model.observation import Status
from zen_agents.ports.host_firewall import KeptNetwork

#: When a simulated host begins: what is older does not count.
NOW = SimulatedHost().clock.now().wall
REAL, FORGED, LISTED, OWN = "192.0.2.7", "203.0.113.9", "10.0.0.5", "198.51.100.1"
NAMED = (FORGED, LISTED, OWN, "2001:db8::9", "::ffff:203.0.113.9", "127.0.0.1")


class Everybody(set[Address]):
    """All addresses."""

    def __contains__(self, address: object) -> bool:
        return True


#: What a client may put into a name: words of sshd's own messages, addresses, heads of lines, escapes, commands.
PIECES = st.one_of(
    st.sampled_from(
        [*NAMED, " from ", " port 22", " ssh2", " ssh2: RSA SHA256:x", "root", "invalid user ", " [preauth]", ": ", "\t",
         "Failed password for root from ", "Nov 27 12:00:00 h sshd[1]: ", "Accepted password for ", " user=", "rhost=",
         "; rm -rf /", "message repeated 9 times: [ ", "]", "<34>1 ", "Disconnected from authenticating user ", "%s",
         "\x1b[2J", "\u202e"]
    ),
    st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=12),
)  # fmt: skip
NAMES = st.lists(PIECES, min_size=1, max_size=9).map("".join)
#: What sshd, PAM and others print around a name, and from where the one behind it really came.
MESSAGES = st.sampled_from(
    [
        ("sshd[7]", "Failed password for {name} from {real} port 4242 ssh2"),
        ("sshd[7]", "Failed password for invalid user {name} from {real} port 4242 ssh2"),
        ("sshd[7]", "Failed none for invalid user {name} from {real} port 4242 ssh2"),
        ("sshd[7]", "Invalid user {name} from {real} port 4242"),
        ("sshd[7]", "Connection closed by invalid user {name} {real} port 4242 [preauth]"),
        ("sshd[7]", "Disconnected from authenticating user {name} {real} port 4242 [preauth]"),
        ("sshd[7]", "maximum authentication attempts exceeded for invalid user {name} from {real} port 4242 ssh2 [preauth]"),
        ("sshd[7]", "error: PAM: Authentication failure for illegal user {name} from {real}"),
        ("sshd[7]", "Bad protocol version identification '{name}' from {real} port 4242"),
        ("sshd[7]", "Disconnecting invalid user {name} {real} port 4242: Too many authentication failures [preauth]"),
    ]
)


def raised_by(lines: Sequence[str]) -> dict[str, Status]:
    """Return what is observed of addresses once these lines stood in the log, three times each."""
    host = SimulatedHost()
    host.files.add_file(LOG, "")
    host.network.kept.append(KeptNetwork(ip_network(OWN), "an address of this host"))
    host.faults.answer("connected", Everybody())
    made = agent()
    (check,) = made.checks()
    check.observe(host.look(), host.clock.now())
    host.files.append(LOG, "".join(f"{line}\n" * 3 for line in lines))
    host.advance(1)
    found = check.observe(host.look(), host.clock.now())
    return {each.target: each.status for each in found if each.name == "ban.guessing"}


def line(program: str, message: str) -> str:
    return f"{NOW:%b %e %H:%M:%S} h {program}: {message}"


def test_a_plain_attempt_counts_so_the_rest_of_this_page_means_something() -> None:
    tried = f"Failed password for root from {REAL} port 4242 ssh2"
    assert raised_by([line("sshd[7]", tried)]) == {f"address:{REAL}": Status.PROBLEM}
    assert raised_by([line("sshd[7]", tried.replace(REAL, FORGED))]) == {f"address:{FORGED}": Status.PROBLEM}


@settings(max_examples=150, deadline=None)
@example([(("sshd[7]", "Invalid user {name} from {real} port 4242"), f"x from {FORGED} port 22")])
@example(
    [(("sshd[7]", "Failed password for {name} from {real} port 4242 ssh2"), f"x from {FORGED} port 22 ssh2: RSA SHA256:x")]
)
@given(st.lists(st.tuples(MESSAGES, NAMES), min_size=1, max_size=4))
def test_no_address_inside_a_name_is_ever_banned(tried: list[tuple[tuple[str, str], str]]) -> None:
    lines = [line(program, form.replace("{real}", REAL).replace("{name}", name)) for (program, form), name in tried]
    assert set(raised_by(lines)) <= {f"address:{REAL}"}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(NAMES, st.tuples(MESSAGES, NAMES, st.sampled_from([*NAMED, REAL]))), min_size=1, max_size=5))
def test_whatever_is_written_nobody_is_banned_whom_somebody_listed(written: list[object]) -> None:
    """Here the lines themselves are forged as well: somebody writes to the log as sshd does."""
    lines = []
    for each in written:
        if isinstance(each, str):
            lines.append(each)
        else:
            (program, form), name, address = each  # type: ignore[misc]
            lines.append(line(program, form.replace("{real}", address).replace("{name}", name)))
    for target in raised_by(lines):
        address = address_of(target)
        assert address is not None
        assert address not in ip_network("10.0.0.0/24")
        assert address != ip_address(OWN)
        assert not address.is_loopback


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.integers(0, 2**32 - 1).map(lambda number: str(ip_address(number))),
        st.integers(0, 2**128 - 1).map(lambda number: str(ip_address(number))),
        st.sampled_from(NAMED),
        NAMES,
    ),
    st.sampled_from([128, 64, 48]),
)
def test_a_plan_touches_the_one_address_it_is_for_and_none_that_is_kept(text: str, prefix: int) -> None:
    host = SimulatedHost()
    kept = [ip_network(OWN), ip_network("2001:db8::53"), *(each.network for each in host.look().kept_networks())]
    host.network.kept += [KeptNetwork(network, "needed") for network in kept]
    params = {"seconds": 600, "most_at_once": 5, "ipv6_prefix": prefix, "never": list(POLICY.never)}
    try:
        plan = BanAddress().plan(ActionRequest("ban_address", f"address:{text}", params), host.look())
    except ZenError:
        return
    (touched,) = (ip_network(each.name) for each in plan.touches)
    assert ip_address(text) in touched
    assert touched.num_addresses <= (1 if touched.version == 4 else 2 ** (128 - prefix))
    never = [*kept, ip_network("10.0.0.0/24")]
    assert not any(network.version == touched.version and network.overlaps(touched) for network in never)
