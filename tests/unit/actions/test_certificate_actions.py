"""renew_certificate, change_certificate_authority and reload_service, over a simulated host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.guarding import policy, question
from zen_agents.actions.base import Action
from zen_agents.actions.change_certificate_authority import ChangeCertificateAuthority
from zen_agents.actions.reload_service import ReloadService
from zen_agents.actions.renew_certificate import RenewCertificate
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.guards.approval import Approval
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.model.verdict import Ruling
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_units import UnitJob

FILE, KEY, MADE, MADE_KEY = "/srv/tls/web.pem", "/srv/tls/web.key", "/srv/new/web.pem", "/srv/new/web.key"
SERVER, DAY = "127.0.0.1:8443", 86400.0
COMMON: Mapping[str, Any] = {
    "certificate": "web", "file": FILE, "key": KEY, "server": SERVER, "name": "localhost", "reload": {"unit": "tls.service"},
}  # fmt: skip
RENEWAL: Mapping[str, Any] = {
    **COMMON, "client": "command", "argv": ["/srv/issue"], "made": MADE, "made_key": MADE_KEY, "at_least_seconds": 30 * DAY,
}  # fmt: skip


class Site:
    """A server whose certificate ends in two days, and a command that renews it."""

    def __init__(self) -> None:
        self.host = SimulatedHost()
        service = self.host.add_service("tls", unit="tls.service", port=8443)
        self.host.start(service.name)
        self.put(FILE, KEY, "old", days=2)
        self.host.certificates.serve("tls.service", SERVER, FILE)
        self.runs = 0
        self.issues("new", days=90)

    def put(self, file: str, key: str, serial: str, *, days: float, authority: str = "Own", fault: str = "") -> None:
        ends = self.host.clock.now().wall.timestamp() + days * DAY
        text = self.host.certificates.text(serial, ends=ends, authority=authority, fault=fault)
        self.host.files.add_file(file, text)
        self.host.files.add_file(key, f"key of {serial}")

    def issues(self, serial: str, exit_code: int = 0, file: str = MADE, key: str = MADE_KEY, **traits: Any) -> None:
        def program(command: Command) -> CommandResult:
            del command
            self.runs += 1
            if exit_code == 0:
                self.put(file, key, serial, **traits)
            return CommandResult(exit_code, "the authority said no" if exit_code else "", False, 1.0)

        self.host.programs["/srv/issue"] = program

    def plan(self, action: Action, params: Mapping[str, Any] = RENEWAL, target: str = "certificate:web") -> Plan:
        return action.plan(ActionRequest(action.name, target, params), self.host.look())

    async def act(self, action: Action, params: Mapping[str, Any] = RENEWAL) -> Effect:
        return await action.execute(self.plan(action, params), self.host.control())

    @property
    def shown(self) -> str:
        seen = self.host.certificates._at(SERVER)
        assert seen.certificate is not None
        return seen.certificate.serial

    @property
    def filed(self) -> str:
        return self.host.files.contents[FILE].partition('"serial": "')[2].partition('"')[0]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def renew(site: Site) -> RenewCertificate:
    return RenewCertificate(site.host.clock)


@pytest.fixture
def change(site: Site) -> ChangeCertificateAuthority:
    return ChangeCertificateAuthority(site.host.clock)


# -- renewing -------------------------------------------------------------------------------------------------------------
async def test_it_is_renewed_looked_at_swapped_in_and_loaded(site: Site, renew: RenewCertificate) -> None:
    plan = site.plan(renew)
    assert plan.steps == (
        'run ["/srv/issue"]',
        f"look whether {MADE} holds a valid newer certificate by the same authority, else stop here",
        f"swap it into {FILE} and its key into {KEY}",
        "reload tls.service",
        f"compare what {SERVER} shows",
    )
    effect = await site.act(renew)
    assert effect.ok, effect
    assert (effect.before, effect.after) == ("serial old", "serial new")
    assert (site.filed, site.shown) == ("new", "new")
    assert site.host.changes == [
        "run /srv/issue", f"quarantine for renew_certificate {KEY}", f"quarantine for renew_certificate {FILE}",
        "reload tls.service",
    ]  # fmt: skip
    assert site.host.services["tls"].runs == 1


async def test_what_a_renewal_has_left_is_taken_without_another_one(site: Site, renew: RenewCertificate) -> None:
    site.put(MADE, MADE_KEY, "left", days=90)
    assert site.plan(renew).steps[0].startswith(f"take the certificate left in {MADE}")
    assert (await site.act(renew)).ok
    assert (site.runs, site.shown) == (0, "left")


async def test_one_that_an_engine_died_between_key_and_certificate_is_swapped_again(
    site: Site, renew: RenewCertificate
) -> None:
    site.put(MADE, MADE_KEY, "left", days=90)
    site.host.files.add_file(KEY, "key of left")
    assert (await site.act(renew)).ok
    assert site.shown == "left"


@pytest.mark.parametrize(
    ("traits", "said"),
    [
        ({"days": 90, "fault": "it is not for the name localhost"}, "not for the name"),
        ({"days": 1}, "lasts no longer than the present one"),
        ({"days": 20}, "lasts only 20.0 days"),
    ],
)
async def test_what_is_not_fit_is_left_where_it_is(
    site: Site, renew: RenewCertificate, traits: dict[str, Any], said: str
) -> None:
    site.issues("bad", **traits)
    with pytest.raises(ActionFailedError, match=said):
        await site.act(renew)
    assert (site.filed, site.shown) == ("old", "old")


async def test_a_key_that_does_not_belong_to_it_is_not_taken(site: Site, renew: RenewCertificate) -> None:
    def program(command: Command) -> CommandResult:
        del command
        site.put(MADE, MADE_KEY, "new", days=90)
        site.host.files.add_file(MADE_KEY, "key of another")
        return CommandResult(0, "", False, 1.0)

    site.host.programs["/srv/issue"] = program
    with pytest.raises(ActionFailedError, match="belongs to another certificate"):
        await site.act(renew)
    assert site.filed == "old"


async def test_a_client_that_fails_changes_nothing(site: Site, renew: RenewCertificate) -> None:
    site.issues("none", exit_code=1)
    with pytest.raises(ActionFailedError, match=r"renewed nothing \(exit 1\): the authority said no"):
        await site.act(renew)
    assert (site.filed, site.shown) == ("old", "old")


async def test_made_files_that_change_while_they_are_looked_at_are_not_taken(
    site: Site, renew: RenewCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put(MADE, MADE_KEY, "left", days=90)
    plan, control = site.plan(renew), site.host.control()
    open_directory = control.open_directory

    def other_first(path: str) -> Any:
        # The copies are made when it has been looked at; this comes in between.
        site.put(MADE, MADE_KEY, "other", days=91)
        return open_directory(path)

    monkeypatch.setattr(control, "open_directory", other_first)
    with pytest.raises(StalePlanError):
        await renew.execute(plan, control)
    assert site.filed == "old"
    assert sorted(site.host.files.contents) == sorted([FILE, KEY, MADE, MADE_KEY])


async def test_whoever_renews_in_place_is_only_followed_by_a_look_and_a_reload(site: Site, renew: RenewCertificate) -> None:
    site.issues("new", file=FILE, key=KEY, days=90)
    in_place = {**RENEWAL, "made": FILE, "made_key": KEY}
    assert (await site.act(renew, in_place)).ok
    assert site.shown == "new"
    assert [each for each in site.host.changes if each.startswith("quarantine")] == []


async def test_in_place_and_unfit_is_not_loaded(site: Site, renew: RenewCertificate) -> None:
    site.issues("bad", file=FILE, key=KEY, days=90, fault="no chain leads from it")
    with pytest.raises(ActionFailedError, match="the server was not reloaded"):
        await site.act(renew, {**RENEWAL, "made": FILE, "made_key": KEY})
    assert site.shown == "old"


async def test_a_server_that_goes_on_with_the_old_one_is_no_success(
    site: Site, renew: RenewCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.actions.certificate_swap._SHOWN_WITHIN_SECONDS", 0.5)
    site.host.job_ends = UnitJob("done")
    effect = await site.act(renew)
    assert not effect.ok
    assert f"{SERVER} shows serial old" in effect.detail


def test_what_lasts_long_enough_is_not_renewed(site: Site, renew: RenewCertificate) -> None:
    site.put(FILE, KEY, "fresh", days=80)
    with pytest.raises(StalePlanError, match="nothing to renew"):
        site.plan(renew)


def test_the_parameters_have_to_be_those_of_the_target(site: Site, renew: RenewCertificate) -> None:
    for target in ("certificate:other", "certificate:", "", "service:web"):
        with pytest.raises(RefusedError):
            site.plan(renew, target=target)


# -- another authority ----------------------------------------------------------------------------------------------------
async def test_another_authority_is_a_persons_to_accept(
    site: Site, renew: RenewCertificate, change: ChangeCertificateAuthority
) -> None:
    with pytest.raises(StalePlanError, match="no new certificate waits"):
        site.plan(change)
    site.issues("foreign", days=90, authority="Other")
    with pytest.raises(RefusedError, match="change_certificate_authority certificate:web"):
        await site.act(renew)
    assert site.filed == "old"
    # From now on the renewal cannot be planned, and the step that asks a person can.
    with pytest.raises(RefusedError, match="issued by CN=x,O=Other"):
        site.plan(renew)
    plan = site.plan(change)
    assert "foreign" in plan.steps[0]
    assert "issued by CN=x,O=Other instead of CN=x,O=Own" in plan.steps[0]
    asked = question(
        SimpleNamespace(open_approval=lambda *_: None, brakes=tuple), plan=plan, request=plan.request,
        policy=policy(allowed={change.name: change.Policy()}),
    )  # fmt: skip
    assert Approval().assess(asked).ruling is Ruling.HOLD
    assert (await change.execute(plan, site.host.control())).ok
    assert (site.filed, site.shown, site.runs) == ("foreign", "foreign", 1)


async def test_one_that_was_replaced_after_the_approval_is_not_taken(site: Site, change: ChangeCertificateAuthority) -> None:
    site.put(MADE, MADE_KEY, "foreign", days=90, authority="Other")
    plan = site.plan(change)
    site.put(MADE, MADE_KEY, "another", days=90, authority="Other")
    with pytest.raises(StalePlanError, match="another certificate than was planned for"):
        await change.execute(plan, site.host.control())
    assert site.filed == "old"


def test_one_of_the_same_authority_is_no_change(site: Site, change: ChangeCertificateAuthority) -> None:
    site.put(MADE, MADE_KEY, "new", days=90)
    with pytest.raises(StalePlanError, match="the authority is the same"):
        site.plan(change)


# -- loading --------------------------------------------------------------------------------------------------------------
async def test_a_reload_makes_the_server_show_what_lies_in_its_file(site: Site) -> None:
    site.put(FILE, KEY, "new", days=90)
    reload = ReloadService()
    plan = site.plan(reload, COMMON)
    await reload.preflight(plan, site.host.look())
    assert (await reload.execute(plan, site.host.control())).ok
    assert site.shown == "new"
    assert site.host.changes == ["reload tls.service"]


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (lambda site: site.put(FILE, KEY, "new", days=90, fault="no chain leads from it"), "not fit to be loaded"),
        (lambda site: site.put(FILE, "/elsewhere", "new", days=90), "belongs to another certificate"),
        (lambda site: site.put(FILE, KEY, "new", days=90, authority="Other"), "reload it by hand"),
    ],
)
async def test_what_would_break_the_server_is_not_loaded(site: Site, put: Callable[[Site], None], said: str) -> None:
    put(site)
    plan = site.plan(ReloadService(), COMMON)
    with pytest.raises(RefusedError, match=said):
        await ReloadService().preflight(plan, site.host.look())


async def test_what_is_shown_already_needs_no_reload(site: Site) -> None:
    plan = site.plan(ReloadService(), COMMON)
    with pytest.raises(StalePlanError):
        await ReloadService().preflight(plan, site.host.look())


async def test_a_reload_that_does_not_end_in_time_has_not_worked(site: Site) -> None:
    plan = site.plan(ReloadService(), COMMON)
    site.host.job_ends = UnitJob("", timed_out=True)
    effect = await ReloadService().execute(plan, site.host.control())
    assert not effect.ok and effect.detail == "reload tls.service: did not end in time"


def test_a_unit_that_does_not_run_is_not_reloaded(site: Site) -> None:
    site.host.stop("tls")
    with pytest.raises(RefusedError, match="nothing to reload"):
        site.plan(ReloadService(), COMMON)


def test_the_scope_is_the_listed_units_and_paths(site: Site, renew: RenewCertificate) -> None:
    plan = site.plan(renew)
    allowed = RenewCertificate.Policy.model_validate({"units": ["tls.service"], "paths": ["/srv/tls"]})
    assert allowed.permits(plan) == ""
    for values, said in (
        ({"units": ["x.service"]}, "tls.service is not in units"),
        ({"paths": ["/etc"]}, "is not at or below"),
    ):
        assert said in RenewCertificate.Policy.model_validate(values).permits(plan)
    reload = site.plan(ReloadService(), COMMON)
    assert ReloadService.Policy.model_validate({"units": ["tls.service"]}).permits(reload) == ""
    assert "not in units" in ReloadService.Policy.model_validate({"units": ["x.service"]}).permits(reload)
