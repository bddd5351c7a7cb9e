"""`alert preview`: what would be sent, to the letter, and nothing is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.alerts.items import item_for
from zen_agents.alerts.trial import trial_message
from zen_agents.cli.alert_ways import Ways
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import find
from zen_agents.cli.render import clean, note, say
from zen_agents.clock import Instant
from zen_agents.engine.evidence import evidence_in
from zen_agents.engine.messages import Messages, mode_line
from zen_agents.errors import UsageError
from zen_agents.jobs.alert_delivery import AppriseItem, EmailItem, EventItem, Item
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import Redaction
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow, Store
from zen_agents.rules.rule import Rule
from zen_agents.settings.policy import to_policy
from zen_agents.wiring.agents import agent_context, build_agents
from zen_agents.workers.email_channel import compose

#: Stands for the key of PagerDuty, which the sender adds.
_KEY = "REDACTED"


def preview(call: Call) -> int:
    """Print what each channel would get."""
    ways = Ways.of(call)
    message = _about(call, ways) if call.arguments.incident else _trial(call, ways)
    channels = ways.channels(call, message)
    shown = [{"channel": channel, **_body(_item(ways, message, channel))} for channel in channels]
    if call.machine:
        data(call, "alert-preview", shown)
        return 0
    for each in shown:
        _show(call, each)
    note("nothing was sent")
    return 0


def _trial(call: Call, ways: Ways) -> Message:
    return trial_message(Severity(call.arguments.severity or Severity.ERROR), ways.context, ways.now)


def _about(call: Call, ways: Ways) -> Message:
    """Return the message about an incident, as it would be told now."""
    store = call.store()
    incident = store.incident(find(store, call.arguments.incident, "inc"))
    if incident is None:
        raise UsageError(f"{call.arguments.incident} is not kept any more")
    now = call.now(store)
    message = _composed(incident, store, _rules(call, ways), ways, now)
    return replace(message, severity=Severity(call.arguments.severity or message.severity))


def _composed(incident: Incident, store: Store, rules: Mapping[str, Rule], ways: Ways, now: Instant) -> Message:
    policy = to_policy(ways.loaded.require(), ways.loaded, ())
    messages = Messages(
        store=store, host_name=ways.context.host_name, mode_line=lambda: mode_line(policy, store, now),
        evidence=lambda each: evidence_in(store, each), redaction=Redaction(ways.loaded.require().redact),
    )  # fmt: skip
    rule = rules.get(incident.key)
    if incident.resolved_at is not None:
        return messages.resolved(incident, rule, incident.resolved_at)
    reason = incident.escalated_for or incident.refused_for or Reason.LADDER_EXHAUSTED
    return messages.firing(incident, rule, reason, now)


def _rules(call: Call, ways: Ways) -> dict[str, Rule]:
    context = agent_context(ways.loaded, LinuxHost(call.state_dir), call.state_dir, ways.context.host_name)
    agents = build_agents(ways.loaded.require(), context)
    return {rule.key: rule for agent in agents for rule in agent.rules()}


def _item(ways: Ways, message: Message, channel: str) -> Item:
    return item_for([OutboxRow(1, message, channel, 0, 0.0, "pending")], ways.policy, ways.context, ways.now)


def _body(item: Item) -> dict[str, Any]:
    if isinstance(item, EmailItem):
        mail = compose(item)
        headers = [[name, str(value)] for name, value in mail.items() if not name.startswith(("Content-", "MIME-"))]
        return {"server": f"{item.host}:{item.port}", "headers": headers, "text": item.text, "html": item.html,
                "attachments": dict(item.attachments)}  # fmt: skip
    if isinstance(item, EventItem):
        return {"url": item.url, "event": {"routing_key": _KEY, **item.event}}
    if isinstance(item, AppriseItem):
        return {"title": item.title, "type": item.notify_type, "body": item.body}
    raise TypeError(f"{item.KIND} is no message")


def _show(call: Call, shown: Mapping[str, Any]) -> None:
    say(call, f"== {shown['channel']} {shown.get('server') or shown.get('url') or ''}")
    if "event" in shown:
        print(json.dumps(shown["event"], indent=2))
        return
    for name, value in shown.get("headers", [["Title", shown.get("title")]]):
        print(f"{name}: {clean(value)}")
    print()
    text = shown["html"] if call.arguments.html and "html" in shown else shown.get("text", shown.get("body", ""))
    print("\n".join(clean(line) for line in text.splitlines()))
    for name, attached in shown.get("attachments", {}).items():
        print(f"\n-- attached: {name}")
        print("\n".join(clean(line) for line in attached.splitlines()))
    print()
