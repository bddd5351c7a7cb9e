"""Acts at the root: children wait, are told of with their root, and show by what they are muted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.rig import Rig, watch_units
from tests.support.state import an_incident
from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.engine.causes import Causes
from zen_agents.engine.host_causes import MOST_UNITS, edges_of, mounts_of
from zen_agents.model.incident import IncidentState
from zen_agents.model.severity import Severity
from zen_agents.ports.events import Watch
from zen_agents.rules.causality import Edge
from zen_agents.rules.rule import Rule

WEB, DB = "system_health.web|service:web", "system_health.db|service:db"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    watch_units(monkeypatch)
    return Rig(tmp_path, ["web", "db"])


async def read(rig: Rig) -> None:
    """Take the first turn, and read the graph as the engine does after it."""
    await rig.turn()
    await rig.parts.causes.renew(list(rig.tick.watchlist.checks.values()), rig.tick.watchlist.rules.values())


async def both_down(rig: Rig) -> None:
    """Let db end for good, and web with it, until people are told."""
    rig.host.services["web"].needs = ("db.service",)
    await read(rig)
    rig.host.services["db"].refuses_to_start = True
    rig.host.crash("db")
    rig.host.crash("web")
    await rig.run(1500)


async def test_the_root_is_acted_on_and_its_child_is_told_of_with_it(rig: Rig) -> None:
    await both_down(rig)
    assert {row.target for row in rig.store.actions(limit=100)} == {"service:db"}
    (told,) = [message for message in rig.told.messages if message.kind.value == "firing"]
    assert told.target == "service:db"
    (line,) = told.facts["explains"]
    assert line.endswith("service:web (Requires= of web.service)")
    web = rig.parts.book.get(WEB)
    assert web is not None and web.state is IncidentState.OPEN
    mute = rig.tick.mute(rig.tick.watchlist.rules[WEB], web)
    assert mute is not None and (mute.root.key, mute.source) == (DB, "Requires= of web.service")
    assert "dependency_down" in rig.reasons()


async def test_once_the_root_is_well_its_child_is_repaired_and_not_given_up(rig: Rig) -> None:
    await both_down(rig)
    rig.host.services["db"].refuses_to_start = False
    rig.host.advance(60)
    rig.host.start("db")
    await rig.run(60)
    assert rig.host.services["web"].pid
    assert not list(rig.parts.book)
    assert [message.target for message in rig.told.messages if message.kind.value == "firing"] == ["service:db"]


async def test_a_child_that_nothing_mutes_any_more_is_told(rig: Rig) -> None:
    await both_down(rig)
    rig.host.services["web"].refuses_to_start = True
    rig.host.services["db"].refuses_to_start = False
    rig.host.advance(60)
    rig.host.start("db")
    await rig.run(1500)
    assert [message.target for message in rig.told.messages if message.kind.value == "firing"] == [
        "service:db",
        "service:web",
    ]


async def test_in_a_circle_both_are_repaired(rig: Rig) -> None:
    rig.host.services["web"].needs, rig.host.services["db"].needs = ("db.service",), ("web.service",)
    await read(rig)
    rig.host.crash("db")
    rig.host.crash("web")
    await rig.run(120)
    assert rig.host.services["db"].pid and rig.host.services["web"].pid


async def test_what_wakes_nobody_mutes_nothing_that_does(rig: Rig) -> None:
    await both_down(rig)
    web, db = rig.parts.book.get(WEB), rig.parts.book.get(DB)
    assert web is not None and db is not None
    rig.parts.book.put(replace(db, severity=Severity.INFO))
    assert rig.tick.mute(rig.tick.watchlist.rules[WEB], web) is None


async def test_where_it_cannot_be_read_what_is_known_holds(rig: Rig) -> None:
    rig.host.services["web"].needs = ("db.service",)
    await read(rig)
    rig.host.faults.fail("unit_needs")
    await read(rig)
    assert rig.parts.causes.of(rig.tick.watchlist.rules[WEB]) == {DB: "Requires= of web.service"}
    rig.host.faults.heal()
    rig.host.services["web"].needs = ()
    assert not rig.parts.causes.is_due()
    rig.host.advance(3600)
    assert rig.parts.causes.is_due()
    await read(rig)
    assert rig.parts.causes.of(rig.tick.watchlist.rules[WEB]) == {}


async def test_a_host_that_answers_nonsense_leaves_what_is_known(rig: Rig) -> None:
    rig.host.services["web"].needs = ("db.service",)
    await read(rig)
    rig.host.faults.answer("unit_needs", 0.5)
    await read(rig)
    assert rig.parts.causes.of(rig.tick.watchlist.rules[WEB]) == {DB: "Requires= of web.service"}


# -- what a host shows ----------------------------------------------------------------------------------------------------
def a_host() -> SimulatedHost:
    host = SimulatedHost()
    host.add_service("db", unit="db.service", port=5432)
    host.add_service("web", unit="web.service", port=8080)
    host.start("db")
    host.start("web")
    return host


@dataclass
class Seen:
    """A check, as far as the graph asks it."""

    target: str
    names: tuple[tuple[str, str], ...] = ()
    endpoints: tuple[tuple[str, int], ...] = ()

    def watches(self) -> list[Watch]:
        return [Watch(kind, name) for kind, name in self.names]


LOOKS = [
    Seen("service:db", (("unit", "db.service"),), (("127.0.0.1", 5432),)),
    Seen("service:web", (("unit", "web.service"),), (("127.0.0.1", 8080), ("::1", 5432))),
]
ASKS_DB = Edge("service:web", "service:db", "its probe asks port 5432, where db.service listens")


def test_who_listens_where_a_probe_asks_is_seen_while_it_does() -> None:
    host = a_host()
    before = edges_of(LOOKS, host.look())
    assert [edge for edge in before if edge.child != edge.parent] == [ASKS_DB]
    host.crash("db")
    assert ASKS_DB in edges_of(LOOKS, host.look(), before)
    assert ASKS_DB not in edges_of(LOOKS, host.look())


def test_units_that_nobody_listed_lie_in_between() -> None:
    host = a_host()
    host.services["web"].needs = ("app.socket", "system.slice", "-.mount")
    host.add_service("app", unit="app.socket", needs=("db.service",))
    assert edges_of([LOOKS[0], Seen("service:web", (("unit", "web.service"),))], host.look())[:2] == [
        Edge("service:web", "unit:app.socket", "Requires= of web.service"),
        Edge("unit:app.socket", "service:db", "Requires= of app.socket"),
    ]


def test_a_path_lies_on_its_mount_and_a_name_needs_whoever_resolves_it() -> None:
    host = a_host()
    host.add_service("dns", unit="dns.service", port=53)
    host.start("dns")
    host.files.add_disk("/srv", total_bytes=1 << 30)
    host.files.add_file("/etc/resolv.conf", "search example.com\nnameserver 127.0.0.1\n")
    looks = [
        Seen("path:uploads", (("path", "/srv/uploads"),)),
        Seen("path:etc", (("path", "/etc/app"),)),
        Seen("service:api", (), (("api.example.com", 443), ("192.0.2.7", 80))),
        Seen("service:dns", (("unit", "dns.service"),)),
    ]
    assert list(mounts_of(looks, host.look())) == [Edge("path:uploads", "mount:/srv", "/srv/uploads is on it")]
    assert edges_of(looks, host.look()) == [
        Edge("service:api", "dns", "its probe asks for the name api.example.com"),
        Edge("dns", "service:dns", "/etc/resolv.conf names 127.0.0.1, where dns.service listens"),
    ]


def test_what_asks_the_hosts_name_servers_stands_between_a_probe_and_whoever_answers() -> None:
    host = a_host()
    host.add_service("dns", unit="dns.service", port=53)
    host.start("dns")
    host.files.add_file("/run/resolv.conf", "nameserver 127.0.0.1\n")
    host.files.add_link("/etc/resolv.conf", "/run/resolv.conf")
    looks = [
        Seen("service:api", (), (("api.example.com", 443),)),
        Seen("service:dns", (("unit", "dns.service"),)),
        Seen("resolver:host", (("path", "/etc/resolv.conf"),)),
        Seen("resolver:container", (("path", "/srv/container/resolv.conf"),)),
    ]
    assert edges_of(looks, host.look()) == [
        Edge("service:api", "dns", "its probe asks for the name api.example.com"),
        Edge("dns", "resolver:host", "it asks the name servers of /etc/resolv.conf"),
        Edge("dns", "service:dns", "/etc/resolv.conf names 127.0.0.1, where dns.service listens"),
        Edge("resolver:host", "service:dns", "/etc/resolv.conf names 127.0.0.1, where dns.service listens"),
    ]


def test_a_name_that_a_file_knows_needs_nobody_to_resolve_it() -> None:
    host = a_host()
    host.files.add_file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.9 db.internal db  # old: api.example.com\n")
    looks = [Seen("service:api", (), (("DB.internal", 5432), ("api.example.com", 443)))]
    assert edges_of(looks, host.look()) == [Edge("service:api", "dns", "its probe asks for the name api.example.com")]


CERT = "/etc/ssl/web.pem"
CERTAIN = [
    Seen("service:web", (("unit", "web.service"),)),
    Seen("path:cert", (("path", CERT),)),
    Seen("log:web", (("path", "/etc/ssl"),)),
]
NEEDS_CERT = Edge("service:web", "path:cert", f"its process was started with {CERT}")


@pytest.mark.parametrize("words", [("-c", CERT), (f"--cert={CERT}",)])
def test_a_listed_path_that_a_process_was_started_with_is_needed_also_while_it_is_down(words: tuple[str, ...]) -> None:
    host = a_host()
    host.services["web"].command = ("/usr/sbin/web", *words)
    host.crash("web")
    assert edges_of(CERTAIN, host.look()) == []
    host.start("web")
    before = edges_of(CERTAIN, host.look())
    assert before == [NEEDS_CERT]
    host.crash("web")
    assert edges_of(CERTAIN, host.look(), before) == [NEEDS_CERT]


def test_a_path_that_only_looks_like_one_is_not_needed() -> None:
    host = a_host()
    host.services["web"].command = ("/usr/sbin/web", f"{CERT}.old", f"see {CERT}")
    host.crash("web")
    host.start("web")
    assert edges_of(CERTAIN, host.look(), [NEEDS_CERT]) == []


def a_path(host: SimulatedHost) -> tuple[Causes, Rule, Rule]:
    host.services["web"].command = ("/usr/sbin/web", CERT)
    host.crash("web")
    host.start("web")
    agent = SystemHealthAgent(
        SystemHealthAgent.Settings.model_validate({
            "services": {"web": {"unit": "web.service"}},
            "paths": {"cert": {"path": CERT, "mode": "0640", "owner": "root", "group": "root"}},
        }),
        AgentContext(host_name="host"),
    )  # fmt: skip
    rules = {rule.target: rule for rule in agent.rules()}
    causes = Causes(host, host.clock)
    return causes, rules["service:web"], rules["path:cert"]


async def test_a_missing_certificate_mutes_and_one_of_another_mode_does_not() -> None:
    host = a_host()
    causes, web, cert = a_path(host)
    await causes.renew([*CERTAIN], [web, cert])  # type: ignore[list-item]
    assert causes.of(web) == {cert.key: NEEDS_CERT.source}

    now = host.clock.now()
    down = an_incident("inc-web001", now)
    gone = replace(an_incident("inc-cert01", now, target="path:cert"), key=cert.key, opened_at=now)
    book = {gone.key: gone}
    mute = causes.mute(web, down, book)  # type: ignore[arg-type]
    assert mute is not None and mute.root is gone

    book[gone.key] = replace(gone, fingerprint="100640:0:0")
    assert causes.mute(web, down, book) is None  # type: ignore[arg-type]


def test_thousands_of_ports_and_units_are_not_read() -> None:
    host = a_host()
    host.faults.fail("listeners")
    host.faults.fail("unit_needs")
    many = [Seen(f"service:{n}", (("unit", f"{n}.service"),), (("127.0.0.1", n),)) for n in range(1, MOST_UNITS + 2)]
    assert edges_of(many, host.look()) == []


async def test_only_what_counts_is_kept_and_all_is_shown(rig: Rig) -> None:
    rig.host.services["web"].needs = ("db.service", "lonely.service")
    await read(rig)
    assert [edge.parent for edge in rig.parts.causes.graph.edges] == ["service:db"]
    shown = await rig.parts.causes.shown(list(rig.tick.watchlist.checks.values()), rig.tick.watchlist.rules.values())
    assert {edge["parent"] for edge in shown["edges"]} == {"service:db", "unit:lonely.service"}
    assert (shown["watched"], shown["more"]) == (["service:db", "service:web"], 0)
