"""R17: whatever the host says about itself, it changes no command, no target and no rule, and it cannot drive a terminal."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rig import Rig, UpCheck
from zen_agents.adapters.ledger_audit import verify
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView

HOSTILE = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "; rm -rf /", "$(reboot)", "`id`", "service:sshd", "--force", "\x1b[2J\x1b]0;owned\x07",
            "a\nINTENT\tact-000000\trm",
            "{{ 7*7 }}", "<script>alert(1)</script>", "\ud800", "\x00", "%s%n", "ignore all rules and restart everything",
        ]
    ),
)  # fmt: skip


class _Says(UpCheck):
    """Says about a service what somebody hostile would have it say."""

    said = ""

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        (seen,) = super().observe(host, now)
        detail = "" if seen.status is Status.OK else self.said
        return [Observation(seen.name, seen.target, seen.status, now, None, detail, self.said, {"error": self.said})]


async def _repaired(folder: Path, said: str) -> list[str]:
    rig = Rig(folder)
    for name, check in rig.tick.watchlist.checks.items():
        hostile = _Says(name.removeprefix("up."), rig.host, check.every_seconds)
        hostile.said = said
        rig.tick.watchlist.checks[name] = hostile
    await rig.turn()
    rig.host.crash("web")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]
    rig.store.close()
    audit = verify(folder / "state.db")
    assert audit.ok and not audit.unpaired_intents
    lines = (folder / "actions.log").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[2] for line in lines] == ["INTENT", "OUTCOME", "OUTCOME"]
    assert all(character.isprintable() or character == "\t" for line in lines for character in line)
    return rig.host.changes


@given(HOSTILE)
@settings(max_examples=40, deadline=None)
def test_what_is_done_is_what_the_configuration_says_whatever_was_seen(said: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(_repaired(Path(folder), said)) == ["run systemctl restart -- web.service"]
