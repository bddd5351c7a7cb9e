"""Try the way to people, or see what they would get.

Examples:
  zen-agents alert test                             a [TEST] over each channel of the route that takes it, now
  zen-agents alert test --severity critical         as a critical one would go
  zen-agents alert test --route 2                   over the channels of the second route; default: of what no route takes
  zen-agents alert preview inc-4k2p                 exactly what would be sent about an incident; sends nothing
  zen-agents alert preview --channel email --html   the HTML part of a [TEST]

`test` asks the mail server and PagerDuty from here, now: quiet hours and windows hold it not, and the engine may be dead.
A page that it opens is closed at once. Secrets come from the same files, and from this shell's variables.

Exit: 0 every channel took it, 1 one did not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from zen_agents.adapters.delivery_now import deliver_now
from zen_agents.alerts.items import item_for
from zen_agents.alerts.policy import PAGERDUTY, is_email
from zen_agents.alerts.quiet import held_until
from zen_agents.alerts.trial import trial_message, trial_over
from zen_agents.cli.alert_ways import Ways, why_unreachable
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import ago
from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.jobs import alert_delivery as jobs
from zen_agents.model.message import Message
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `alert` takes."""
    parser.add_argument("verb", choices=("test", "preview"))
    parser.add_argument("incident", nargs="?", help="preview: an incident, also @last; without one, a [TEST]")
    parser.add_argument("--route", metavar="N", default="", help="the channels of this route, by number, or default")
    parser.add_argument(
        "--severity", choices=[str(severity) for severity in Severity], help="as a message of this severity (default error)"
    )
    parser.add_argument("--channel", metavar="NAME", help="only this one: email, email:GROUP, pagerduty or url:NAME")
    parser.add_argument("--html", action="store_true", help="preview: the HTML part of a mail instead of its text")


def run(call: Call) -> int:
    """Send a test, or show."""
    if call.arguments.verb == "preview":
        from zen_agents.cli.alert_preview import preview  # noqa: PLC0415  needs the rules; a test does not

        return preview(call)
    if call.arguments.incident:
        raise UsageError(f"a test is about no incident; did you mean: zen-agents alert preview {call.arguments.incident}")
    return _test(call)


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one channel answered."""

    channel: str
    ok: bool
    text: str


def _test(call: Call) -> int:
    ways = Ways.of(call)
    message = trial_message(Severity(call.arguments.severity or Severity.ERROR), ways.context, ways.now)
    channels = ways.channels(call, message)
    answers = _sent(ways, message, channels)
    if call.machine:
        rows = [{"channel": each.channel, "ok": each.ok, "answer": each.text} for each in answers]
        data(call, "alert-test", {"severity": message.severity.value, "channels": rows})
    else:
        for each in answers:
            say(call, f"{each.channel:12} {each.text}", hang=13)
        _note_held(ways, message)
        next_steps(call, "zen-agents doctor", "zen-agents alert preview @last")
    return 0 if all(each.ok for each in answers) else 1


def _note_held(ways: Ways, message: Message) -> None:
    """Say that a real message would have waited."""
    told = ways.as_firing(message)
    if (seconds := held_until(told, ways.policy, ways.now) - ways.now.steady) > 0:
        note(f"a real message of this severity would wait {ago(seconds)} now: quiet hours, or a window")


def _sent(ways: Ways, message: Message, channels: Sequence[str]) -> list[_Answer]:
    reachable = [channel for channel in channels if ways.policy.is_reachable(channel)]
    items = {channel: _items(ways, message, channel, 10 * index) for index, channel in enumerate(reachable, start=1)}
    replies = deliver_now([item for each in items.values() for item in each])
    answers = []
    for channel in channels:
        if channel not in items:
            answers.append(_Answer(channel, ok=False, text=f"not sent: {why_unreachable(channel)}"))
            continue
        told = [
            replies.get(item.ref, jobs.Delivered(item.ref, jobs.DeliveryOutcome.RETRY, "no answer"))
            for item in items[channel]
        ]
        ok = all(each.outcome is jobs.DeliveryOutcome.OK for each in told)
        answers.append(_Answer(channel, ok, _words(channel, told)))
    return answers


def _items(ways: Ways, message: Message, channel: str, ref: int) -> list[jobs.Item]:
    messages = [message, trial_over(message, ways.now)] if channel == PAGERDUTY else [message]
    rows = [OutboxRow(ref + index, each, channel, 0, 0.0, "pending") for index, each in enumerate(messages)]
    return [item_for([row], ways.policy, ways.context, ways.now) for row in rows]


def _words(channel: str, told: Sequence[jobs.Delivered]) -> str:
    """Return what a channel said, in its own numbers."""
    bad = next((each for each in told if each.outcome is not jobs.DeliveryOutcome.OK), None)
    if bad is not None:
        later = "; it may work later" if bad.outcome is jobs.DeliveryOutcome.RETRY else ""
        return f"not taken: {bad.detail}{later}"
    if channel == PAGERDUTY:
        pairs = zip(told, ("trigger", "resolve"), strict=True)
        return ", ".join(f"{each.detail} accepted ({word})" for each, word in pairs)
    if is_email(channel):
        # smtplib takes no other answer than 250 for a mail that was taken.
        return f"250 ok{told[0].detail.removeprefix('taken')}"
    return "ok"
