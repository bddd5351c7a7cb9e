"""What every command prints for programs, as JSON Schema: one shape for each name in `"schema": "zen-agents/NAME/v1"`.

A shape is written as it looks: a mapping of field names to shapes (`name?` may be missing, `*` stands for names that are
data), a list of one shape for a list of such, a tuple for alternatives, a type of Python for a plain value, `None` for null,
and `ANY` for what has no fixed form: bodies of ledger entries, parameters and configuration. Fields that are not named are
refused, so that nothing is printed that is not promised here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.cli.data_shapes import DATA
from zen_agents.cli.json_schema import ANY, document, items
from zen_agents.cli.log_shapes import LOGS
from zen_agents.cli.package_shapes import PACKAGES

_TEXT_OR_NULL, _NUMBER_OR_NULL = (str, None), (float, None)
_THINGS = {"*": ANY}
_GUARD = {"guard": str, "ruling": str, "value?": (str, float, None), "reason?": _TEXT_OR_NULL, "until?": _NUMBER_OR_NULL,
          "origin?": str, "detail?": str}  # fmt: skip
_DIAGNOSTIC = {
    "code": str, "level": str, "message": str, "file": str, "line": int, "column": int, "length": int, "label": str,
    "note": str, "help": str, "replacement": _TEXT_OR_NULL,
}  # fmt: skip
_BOUND = {"most": int, "by": str}
_LAST_ACTION = {"id": str, "action": str, "outcome": str}
_MUTED_BY = ({"target": str, "incident": str, "source": str}, None)
_PLAN = {
    "action": str, "target": str, "steps": [str], "touches": [str], "risk": str, "reversible": str,
    "expected_seconds": float, "warning": str, "asks": [str], "digest": str,
}  # fmt: skip
_DONE_BY_ENGINE = {
    "target": str, "ruling": str, "reason": _TEXT_OR_NULL, "plan": (_PLAN, None), "action": str, "outcome": str,
    "took_seconds": float, "detail": str, "exit": int,
}  # fmt: skip
_JUDGEMENT = {
    "action": str, "target": str, "agent": str, "ruling": str, "reason": _TEXT_OR_NULL, "plan": (_PLAN, None),
    "guards": [_GUARD],
}  # fmt: skip
_INCIDENT = {
    "id": str, "rule": str, "target": str, "agent": str, "severity": str, "state": str, "began_at": str,
    "opened_at": _TEXT_OR_NULL, "resolved_at": _TEXT_OR_NULL, "resolved_by": str, "detail": str, "value": _NUMBER_OR_NULL,
    "attempts": int, "rung": int, "escalated_for": _TEXT_OR_NULL, "acknowledged_by": _TEXT_OR_NULL,
}  # fmt: skip
_ACTION = {
    "id": str, "action": str, "target": str, "agent": str, "rule": str, "incident": _TEXT_OR_NULL, "by": str,
    "because": str, "outcome": str, "reserved_at": str, "ended_at": _TEXT_OR_NULL, "took_seconds": float,
    "plan": _THINGS, "effect": _THINGS,
}  # fmt: skip
_APPROVAL = {
    "id": str, "state": str, "action": str, "target": str, "agent": str, "rule": str, "incident": _TEXT_OR_NULL,
    "by": str, "because": str, "digest": str, "needed": int, "agreed": int, "asked_at": str, "expires_seconds": float,
    "ended_why": str, "used_by": _TEXT_OR_NULL,
    "answers": [{"by": str, "uid": (int, None), "yes": bool, "reason": str, "at": str}],
    "plan": _THINGS,
}  # fmt: skip
_ANSWERED = {"approval": str, "state": str, "action": str, "target": str, "*": ANY}
_DECISION = {
    "id": str, "at": str, "incident": _TEXT_OR_NULL, "record": int, "outcome?": str, "reason?": str, "rule?": str,
    "target?": str, "guards?": [_GUARD], "plan?": (_PLAN, None), "*": ANY,
}  # fmt: skip
_ENTRY = {"record": int, "at": str, "kind": str, "id": str, "actor": str, "body": _THINGS}
_EVENT = {**_ENTRY, "incident": _TEXT_OR_NULL, "action": _TEXT_OR_NULL}
_CHANGED = {"found": [{"at": str, "kind": str, "what": str}], "unknown": [str], "*": ANY}
_RATE = {"times": int, "of": int, "share": _NUMBER_OR_NULL, "low": float, "high": float, "few": bool}
_SPREAD = {"median": _NUMBER_OR_NULL, "p95": _NUMBER_OR_NULL}
_COUNTS = {"*": int}
_AT = ({"wall": str, "steady": float}, None)
_NAMED = {"name": str, "summary": str, "*": ANY}
_DECIDED = {"at": str, "rule": str, "target": str, "outcome": str, "reason": str, "action": _TEXT_OR_NULL}
_LOOK = {"action": _TEXT_OR_NULL, "target": str, "by": str, "since_seconds": float, "doing": str, "share": _NUMBER_OR_NULL}
_CHECK_ROW = {
    "check": str, "target": str, "state": str, "since_seconds": _NUMBER_OR_NULL, "value": str, "incident": _TEXT_OR_NULL,
    "severity": str, "last_action": (_LAST_ACTION, None), "muted_by": _MUTED_BY,
}  # fmt: skip


#: By name; see the module.
SHAPES: Mapping[str, Any] = {
    "ack": {"incident": str, "until_seconds": float},
    "act": {"action": str, "outcome": str, "took_seconds": float, "detail": str, "output": str},
    "action": _ACTION,
    "actions": items(_ACTION),
    "alert-preview": items(
        {"channel": str, "url?": str, "event?": _THINGS, "server?": str, "headers?": [[str]], "text?": str, "html?": str,
         "*": ANY}
    ),
    "alert-test": {"severity": str, "channels": [{"channel": str, "ok": bool, "answer": str}]},
    "approval": (_APPROVAL, _ANSWERED),
    "approval_token": {"approval": str, "token": str},
    "approvals": items(_APPROVAL),
    "audit": {
        "ok": bool, "entries": int, "first_at": _AT, "last_at": _AT, "head": str, "signed_to": int, "checkpoints": int,
        "signed_by": [str], "signatures_checked": bool, "dropped_bodies": int, "broken_seq": (int, None), "expected": str,
        "got": str, "problem": str, "unpaired_intents": [str], "unpaired_outcomes": [str], "unrecorded_actions": [str],
    },
    "audit-export": items(
        {"seq": int, "at": str, "kind": str, "id": str, "wall_us": int, "steady_us": int, "actor": str,
         "incident": _TEXT_OR_NULL, "action": _TEXT_OR_NULL, "body": (_THINGS, None), "body_hash": str, "hash": str}
    ),
    "baselines": items(
        {"name": str, "path": str, "declared": str, "outcome": str, "why": str, "sha256": str, "mode": str, "owner": str,
         "group": str}
    ),
    "audit-key": items({"id": str, "key": str}),
    "breaker": {"breaker": str, "state": str},
    "breakers": items({"name": str, "state": str, "failures": int, "open_seconds": _NUMBER_OR_NULL}),
    "check-config": {
        "ok": bool, "files": [str], "mode?": str, "agents?": [str], "rules?": int, "allowed?": [str], "implied?": [ANY],
        "diagnostics": [_DIAGNOSTIC], "online?": [{"name": str, "state": str, "text": str, "fix": str}],
    },
    "completion": {"name": str, "script": str},
    "config-show": {"files": [str], "values": _THINGS, "sources": {"*": str}},
    "data-repaired": items(_DONE_BY_ENGINE),
    "decision": _DECISION,
    "decisions": items(_DECISION),
    "doctor": {
        "healthy": bool, "checks": [{"name": str, "state": str, "text": str, "fix": str}], "bundle?": str, "files?": [str],
    },
    "error": {"error": str, "exit_code": int},
    "events": items(_EVENT),
    "explain": (_NAMED, items({"kind": str, **_NAMED})),
    **{f"explain-{kind}s": items(_NAMED) for kind in ("action", "agent", "check", "code", "guard", "pack", "reason")},
    "graph": {
        "read_seconds_ago": _NUMBER_OR_NULL, "more": int, "watched": [str],
        "edges": [{"child": str, "parent": str, "source": str}],
        "incidents": [{"target": str, "incident": str, "muted_by": _MUTED_BY}], "*": ANY,
    },
    "incidents": items(_INCIDENT),
    "init": {"path": str, "found": [str], "units": [str]},
    "judgement": _JUDGEMENT,
    "maintenance": ({"name": str, "effect": str, "for_seconds": float}, {"name": str}, items(
        {"name": str, "state": str, "effect": str, "timezone": str, "begins_at": _TEXT_OR_NULL, "ends_at": str,
         "begins_at_utc": _TEXT_OR_NULL, "ends_at_utc": str, "where": str}
    )),
    "man": ({"name": str, "text": str}, {"*": ANY}),
    "new": {"name": str, "kind": str, "path": str, "files": [str]},
    "once": {"dry_run": bool, "would": [ANY], "actions": [_ACTION], "incidents": [_INCIDENT]},
    "packages-apply": items(_DONE_BY_ENGINE),
    "pause": {"scope": str, "for_seconds": _NUMBER_OR_NULL},
    "plan": {"host": str, "mode": str, "config": [str], "at": str, "fine": int, "unused_facts": [str], "*": int,
        "lines": [
            {"rule": str, "target": str, "status": str, "detail": str, "value": _NUMBER_OR_NULL, "outcome": str,
             "reason": _TEXT_OR_NULL, "condition": str, "origin": str, "judgement": (_JUDGEMENT, None)}
        ],
    },
    "reload": {"config": str, "agents": [str]},
    "report": {
        "host": str, "since": str, "until": str, "incidents": int, "open": int, "fixed_without_person": _RATE,
        "lasted": _SPREAD, "outcomes": _COUNTS, "skipped": _COUNTS, "nights": int, "told": _COUNTS, "days": {"*": _COUNTS},
        "rules": [
            {"rule": str, "incidents": int, "verified": _RATE, "recurred": _RATE, "cleared_acted": _RATE,
             "cleared_alone": _RATE, "repaired": _SPREAD}
        ],
        "debts": [
            {"rule": str, "target": str, "repairs": int, "first": str, "last": str, "broken_seconds": float,
             "actions": [str]}
        ],
        "objectives": [
            {"name": str, "rule": str, "target": str, "value": str, "met": (bool, None),
             "budget": ({"allowed": float, "spent": int}, None)}
        ],
        "people": [{"name": str, "did": _COUNTS, "actions": int}],
        "is_cut": bool,
    },
    "lint": {
        "files": [str], "findings": [_DIAGNOSTIC], "worst_case": _BOUND,
        "agents": [{"agent": str, **_BOUND}], "rules": [{"rule": str, **_BOUND}],
    },
    "replay": {
        "host": str, "config": [str], "since": str, "until": str, "judged_seconds": float,
        "gaps": [{"since": str, "until": str}], "unjudged": [str], "refused": _COUNTS, "decisions": [_DECIDED],
        "incidents": [
            {"rule": str, "target": str, "began": str, "ended": _TEXT_OR_NULL, "actions": int, "told": (bool, int)}
        ],
        "differences": [{"sign": str, "now": (_DECIDED, None), "then": (_DECIDED, None)}],
    },
    "resume": (
        {"scope": str, "lifted": [str]}, {"was": str, "removed": [str]},
        {"agent": str, "bake_seconds": float, "waiting": [str]},
    ),
    "rollback": {
        "named": str, "to": str, "paused": [str], "left": int,
        "steps": [{"id": str, "action": str, "target": str, "result": str, "detail": str, "undo": _TEXT_OR_NULL}],
    },
    "run": {"ended_by": str, "exit_code": int},
    "runbook": ({"name": str, "title": str, "text": str}, items({"name": str, "title": str})),
    "safe-mode": {"on": bool, "was_on?": bool},
    "schema": {"name": str, "document": _THINGS},
    "status": {
        "host": str, "health": str, "abnormal": [str], "incidents_open": int, "emergency_stop?": bool,
        "last_actions?": [_LAST_ACTION], "mode?": str, "dry_run?": bool, "warnings?": [str], "up_seconds?": float,
        "last_tick_seconds_ago?": _NUMBER_OR_NULL, "config?": _THINGS, "actions_today?": int, "actions_by_outcome?": _COUNTS,
        "repairs_spent?": int, "repairs_limit?": int, "approvals?": [_THINGS], "demoted?": [{"scope": str, "reason": str}],
        "agents?": [{"name": str, "state": str, "*": ANY}], "checks?": [_CHECK_ROW], "checks_more?": int,
        "looks?": [_LOOK], "pages_undelivered?": [str], "misfires?": _COUNTS, "*": ANY,
    },
    "stop": ({"running": int}, {"flag": str, "was_set": bool, "actions": {"*": str}, "engine": str}),
    "test-pattern": {
        "pattern": (
            {"name": str, "expressions": [{"expression": str, "place": str}],
             "effect": ({"count": int, "within_seconds": _NUMBER_OR_NULL, "severity": str, "actions": [str],
                         "not_allowed": [str], "acts": bool}, None)},
            None,
        ),
        "samples": ({"tried": int, "wrong": int}, None),
        "sources": [
            {"source": str, "cut": str, "matched": int, "missed": int, "ignored": int, "by_expression": [int], "shown": [
                {"number": int, "verdict": str, "text": str, "after": _TEXT_OR_NULL, "groups": {"*": _TEXT_OR_NULL},
                 "why": str, "partial_end": (int, None)}]}
        ],
        "diagnostics": [_DIAGNOSTIC],
    },
    "test-rules": {
        "passed": int, "failed": int, "diagnostics": [_DIAGNOSTIC], "samples": {"patterns": int, "wrong": int},
        "tests": [
            {"file": str, "name": str, "ok": bool,
             "failures": [{"file": str, "line": int, "expected": str, "got": str, "rule": str}]}
        ],
    },
    "undo": {
        "undoes": str, "action": str, "outcome": str, "took_seconds": float, "detail": str, "paused": [str],
        "paused_seconds": float,
    },
    **DATA, **LOGS, **PACKAGES,
    "version": {"version": str, "python": str},
    "why": {
        "incident": (_INCIDENT, None), "chain": [_ENTRY], "changed?": (_CHANGED, None), "next?": _TEXT_OR_NULL,
        "action?": (_ACTION, None), "lines?": [{"at": str, "kind": str, "text": str, "source": str}],
        "related?": [
            {"incident": str, "rule": str, "target": str, "began_at": str, "why": str,
             "shared": [{"kind": str, "value": str}]}
        ], "*": ANY,
    },
    "why-not": {
        "rule": str, "target": str, "outcome": _TEXT_OR_NULL, "now?": (_CHECK_ROW, None), "guards?": [_GUARD], "*": ANY,
    },
}  # fmt: skip


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of what is printed under this name; KeyError if there is none."""
    shape = SHAPES[name]
    whole = [document(name, one) for one in shape] if isinstance(shape, tuple) else [document(name, shape)]
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"zen-agents/{name}/v1"}
    return {**head, **whole[0]} if len(whole) == 1 else {**head, "anyOf": whole}
