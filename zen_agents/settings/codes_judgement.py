"""What is valid and yet would not do what was meant."""

from __future__ import annotations

from zen_agents.settings.code import Code

JUDGEMENT: dict[str, Code] = {
    "ZC501": Code(
        "The engine may act, but nobody would be told at night.",
        "What it cannot repair needs a person, and no route reaches one.",
        "Set `alerts.pagerduty` or `alerts.email`, or ALERT_EMAIL.",
        "mode: enforce\nalerts: {}",
    ),
    "ZC502": Code(
        "A hold that rests on one sample.",
        "`for` is not longer than the time between two samples, so it would not mean what it says.",
        "Shorten `sample_interval` or lengthen `for`.",
        "sample_interval: 5m\nthresholds:\n  cpu: {for: 5m}",
    ),
    "ZC503": Code(
        "ALERT_EMAIL is empty.",
        "Email is switched off, also where the file names addresses.",
        "Unset the variable, or give it an address.",
        "ALERT_EMAIL=",
    ),
    "ZC504": Code(
        "No agent is named.",
        "The engine would run and do nothing.",
        "Add a section under `agents:`.",
        "version: 1",
    ),
    "ZC505": Code(
        "A mode that gives setuid or setgid, or lets anyone write.",
        "A repair never widens access but to exactly what is listed; that this is listed on purpose needs a second look.",
        "List a narrower mode, or keep it: it is a warning, and an error only with `check-config --strict`.",
        'paths:\n  tool: {path: /opt/app/tool, mode: "4755", owner: root, group: root}',
    ),
    "ZC506": Code(
        "An approver who is not known here, or could not answer.",
        "A question that nobody can answer ends as a no, however urgent it was.",
        "Correct the name, or add the account to the group that may act (zen-ops; and zen-view, where that one is there).",
        'approvals:\n  approvers: ["user:alcie"]',
    ),
    "ZC507": Code(
        "A program that an action needs is not installed here.",
        "The action would be asked for, and could never be done.",
        "Install it, or take out what asks for the action.",
        "patterns:\n  guessing: {..., ban_at: [22]}   # needs nft",
    ),
    "ZC701": Code(
        "Rules that set each other off in a circle.",
        "What one does makes bad what the next looks at: they would go on until a limit stops them.",
        "Let one of them only tell, or say with `depends_on` which service suffers from the other.",
        "rules:\n  a: {when: probe.web is bad, on_match: [restart_service:db]}\n  b: {...: [restart_service:web]}",
    ),
    "ZC702": Code(
        "Two rules that act on one resource.",
        "Each judges by its own view; what one has repaired the other may take apart, and both spend the same limits.",
        "Leave it to one of them, or let the other only tell.",
        "services:\n  web: {unit: nginx.service}\n  site: {unit: nginx.service}",
    ),
    "ZC703": Code(
        "An action that a rule can never take.",
        "A guard refuses it on a calm host with nothing spent, so it refuses always, and a night shows it first.",
        "Widen the scope or the limit that the message names, or take the action out of the ladder.",
        "services:\n  web: {unit: nginx.service}\nactions:\n  allow: {restart_service: {units: [mysql.service]}}",
    ),
    "ZC704": Code(
        "A condition that nothing can meet.",
        "The rule looks like a safeguard, and is none.",
        "Use a limit that can be passed.",
        "thresholds:\n  disk: [{path: /, above: 100%}]",
    ),
    "ZC705": Code(
        "An action whose effect the rule cannot see.",
        "It is judged by the rule's own condition: what is mended elsewhere is retried, and told as failed.",
        "Put into the condition what the action is to mend.",
        "rules:\n  hot: {when: cpu.percent > 90, on_match: [clear_cache:pip]}",
    ),
    "ZC706": Code(
        "A condition that is always met.",
        "The rule is bad from the first look on, whatever happens, and nothing that it does can help.",
        "Use a limit that something can stay within.",
        "rules:\n  hot: {when: cpu.percent >= 0}",
    ),
    "ZC707": Code(
        "A `clear` that can never hold, or that also holds while the rule is bad.",
        "In the first case an incident never ends; in the second nothing lies between bad and well, and it flutters.",
        "Let `clear` hold only well within the limit of `when`.",
        "rules:\n  hot: {when: cpu.percent > 90, clear: cpu.percent < 95}",
    ),
    "ZC708": Code(
        "Rules of an agent that is switched off.",
        "They look like safeguards, and are never asked.",
        "Switch the agent on, or take its rules out.",
        "system_health:\n  enabled: false\n  rules: {hot: {when: cpu.percent > 90}}",
    ),
}
