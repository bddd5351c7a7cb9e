"""Render a message as an event of PagerDuty's Events API v2; the routing key is added by whoever sends it.

Limits of the API are kept here: a summary of 1024 characters, a key of 255, an event of 512,000 bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.evidence import evidence_line
from zen_agents.alerts.facts import list_fact, text_fact
from zen_agents.alerts.plain_text import cut, one_line, safe_address, safe_id, safe_word
from zen_agents.alerts.sections import answer_steps, headline, no_way_back, with_local_time
from zen_agents.model.message import Message, MessageKind

MOST_SUMMARY, MOST_KEY, MOST_BYTES = 1024, 255, 512_000
#: Bytes the sender adds: the routing key and its name.
_ROUTING_KEY_BYTES = 256


def page_key(dedup_key: str) -> str:
    """Return the key under which PagerDuty keeps one page: host, rule and target, never the incident.

    A longer key is cut and ends in a digest, so that two long keys stay two.
    """
    key = one_line(f"zen-agents/{dedup_key}", 4000)
    if len(key) <= MOST_KEY:
        return key
    return f"{key[: MOST_KEY - 17]}#{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def render_pagerduty(message: Message, context: AlertContext) -> dict[str, Any]:
    """Return a `trigger`, or a `resolve` for a message that something is over."""
    links = _links(message, context)
    event: dict[str, Any] = {
        "event_action": "resolve" if message.kind is MessageKind.RESOLVED else "trigger",
        "dedup_key": page_key(message.dedup_key),
        "client": one_line(f"zen-agents on {context.host_name}", 200),
        "links": links,
        "images": [],
        "payload": _payload(message, context) | {"custom_details": _details(message, context)},
    }
    if links and safe_address(context.link(safe_id(message.incident))):
        event["client_url"] = links[0]["href"]
    return _within_limit(event)


def render_change(message: Message, context: AlertContext) -> dict[str, Any]:
    """Return a change event: what the engine did shows up beside the incidents of any tool."""
    payload = _payload(message, context)
    details = {
        "action": safe_id(text_fact(message.facts, "action")),
        "outcome": one_line(text_fact(message.facts, "outcome"), 100),
        "by": one_line(text_fact(message.facts, "by"), 100),
        "why": one_line(text_fact(message.facts, "why"), 500),
        "target": one_line(message.target, 200),
    }
    return {
        "payload": {name: payload[name] for name in ("summary", "timestamp", "source")}
        | {"custom_details": {name: text for name, text in details.items() if text}},
        "links": _links(message, context),
    }


def _payload(message: Message, context: AlertContext) -> dict[str, Any]:
    text = one_line(message.summary, MOST_SUMMARY)
    if not text.startswith(f"{context.host_name}: "):
        text = cut(f"{context.host_name}: {text}", MOST_SUMMARY)
    group = "/".join(context.labels[name] for name in ("env", "role") if context.labels.get(name))
    optional = {
        "component": one_line(message.target.partition(":")[2] or message.target, 200),
        "group": one_line(group, 200),
        "class": one_line(message.rule, 200),
    }
    return {
        "summary": text,
        "source": one_line(context.host_name, 200) or "unknown host",
        "severity": message.severity.value,
        "timestamp": message.at.wall.astimezone(context.zone).isoformat(timespec="seconds"),
    } | {name: value for name, value in optional.items() if value}


def _details(message: Message, context: AlertContext) -> dict[str, str]:
    """Return flat texts; PagerDuty sorts by key, so the numbers keep the reading order."""
    facts, id = message.facts, safe_id(message.incident)
    rule = safe_word(message.rule)
    stop = f"zen-agents pause rule:{rule} --for 2h   |   " if rule else ""
    undo = [f"zen-agents undo {one}" for one in list_fact(facts, "undo", most=3) if safe_id(one)]
    origin = text_fact(facts, "origin")
    details = {
        "1 state": headline(message, context)[0],
        "2 engine did": "; ".join(with_local_time(line, context) for line in list_fact(facts, "did", most=6)),
        "3 asked of you": "; ".join((*list_fact(facts, "asks", most=8), *(step.command for step in answer_steps(message)))),
        "3 next if you do nothing": text_fact(facts, "next"),
        "4 probably related": "; ".join(with_local_time(line, context) for line in list_fact(facts, "related", most=4)),
        "5 stop": f"{stop}everything: zen-agents stop --emergency" if message.kind is MessageKind.FIRING else "",
        "6 undo": "   |   ".join((*undo, *no_way_back(message))),
        "7 rule": f"{message.rule}{f', {origin}' if origin else ''}",
        "8 why": text_fact(facts, "why"),
        "9 about": "; ".join(list_fact(facts, "lines", most=40)),
        "incident": id,
        "mode": text_fact(facts, "mode"),
        "evidence": evidence_line(message),
        "log": " / ".join(list_fact(facts, "log", most=10)),
    }
    return {name: one_line(text, 8000) for name, text in details.items() if text}


def _links(message: Message, context: AlertContext) -> list[dict[str, str]]:
    offered = (
        (context.link(safe_id(message.incident)), "Timeline, why and stop"),
        (text_fact(message.facts, "runbook"), "Runbook"),
    )
    return [{"href": safe_address(href), "text": text} for href, text in offered if safe_address(href)]


def _within_limit(event: dict[str, Any]) -> dict[str, Any]:
    payload = event["payload"]
    if _size(event) >= MOST_BYTES - _ROUTING_KEY_BYTES:
        payload["custom_details"].pop("log", None)
    if _size(event) >= MOST_BYTES - _ROUTING_KEY_BYTES:
        payload["custom_details"] = {"note": "left out: too large for one event; see zen-agents incidents"}
    return event


def _size(event: dict[str, Any]) -> int:
    return len(json.dumps(event).encode())
