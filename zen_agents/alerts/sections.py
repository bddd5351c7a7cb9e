"""The parts of a message in the order in which a person asks at night.

Is it still broken? What did the engine do? Why? What will it do next? How do I stop it? Commands come from the engine's own
words and ids only; text from outside is shown and never becomes part of one (R17).
"""

from __future__ import annotations

from datetime import datetime

from zen_agents.alerts.context import AlertContext, clock_face
from zen_agents.alerts.facts import list_fact, text_fact
from zen_agents.alerts.plain_text import one_line, safe_address, safe_id, safe_word
from zen_agents.alerts.signal import SIGNAL_TITLE
from zen_agents.dataclass import dataclass
from zen_agents.model.message import Message, MessageKind


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a person can do: a label, and a command or address."""

    label: str
    command: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One titled part: sentences to wrap, or steps to offer."""

    title: str
    lines: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    #: At most so many lines of text once wrapped.
    most: int = 4
    #: Parts with the same number stand together, without a blank line between them.
    block: int = 0
    #: Lines are cut and not wrapped, and shown in fixed width.
    verbatim: bool = False


#: What a person does about a state of the engine itself, by the word in its key.
_ENGINE_STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "safe_mode": (("Leave it", 'zen-agents safe-mode off --reason "..."'),),
    "emergency_stop": (("Leave it", "zen-agents resume --from-emergency --confirm {host}"),),
    "config_not_applied": (("What is wrong", "zen-agents check-config"), ("Try again", "zen-agents reload")),
    "observe_only": (
        ("The ledger", "zen-agents audit verify"),
        ("Go on", 'zen-agents resume --reason "..."'),
    ),
    "page_not_delivered": (("Open incidents", "zen-agents incidents"),),
    "channel_failed": (("Try it", "zen-agents alert test"), ("What is wrong", "zen-agents doctor")),
}

#: What comes next by itself, by the same word, where the message does not say it.
_ENGINE_NEXT = {
    "safe_mode": "Checks and alerts go on; nothing is changed until a person leaves safe mode.",
    "emergency_stop": "Checks and alerts go on; nothing is changed until a person lifts the stop.",
    "observe_only": "Checks and alerts go on; nothing is repaired until a person has looked.",
    "config_not_applied": "The configuration that was in force stays so.",
    "storm": "Checks go on; repairs begin again by themselves once it has been calm for long enough.",
}


def headline(message: Message, context: AlertContext) -> list[str]:
    """Return one or two sentences: the state first, since a phone shows little more."""
    own = one_line(text_fact(message.facts, "headline"), 300)
    state = one_line(text_fact(message.facts, "state"), 300)
    summary = without_host(message, context)
    if own:
        return [own, summary]
    if message.kind is MessageKind.RESOLVED:
        return [_recovered(message, context, state), summary]
    if message.kind is MessageKind.FIRING:
        return [_firing(message, context, state), summary]
    if message.kind is MessageKind.ENGINE or state in (summary, ""):
        # Of the engine itself both say the same.
        return [state or summary]
    return [state, summary]


def sections(message: Message, context: AlertContext) -> list[Section]:
    """Return all parts that have something to say."""
    if message.kind in (MessageKind.ROLL_UP, MessageKind.DIGEST):
        parts = _of_many(message)
    elif message.kind is MessageKind.ENGINE:
        parts = _of_engine(message, context)
    else:
        parts = _of_incident(message, context)
    return [part for part in parts if part.lines or part.steps]


def without_host(message: Message, context: AlertContext) -> str:
    """Return the summary without host and incident, which stand elsewhere."""
    text = one_line(message.summary, 600)
    text = text.removeprefix(f"{context.host_name}: ")
    return text.removesuffix(f" ({message.incident})") if message.incident else text


def subject_name(message: Message) -> str:
    """Return the short name of what is bad: `web` of `service:web`, else the rule's last word."""
    name = message.target if message.target not in ("", "host") else message.rule.rpartition(".")[2]
    return one_line(name.partition(":")[2] or name, 120)


def elapsed(since: datetime, until: datetime) -> str:
    """Return `8 s`, `2 min`, `3 h`, `6 d`."""
    seconds = max(0, int((until - since).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def began_at(message: Message) -> datetime | None:
    """Return the moment in the fact `since`, None if there is none or it is not a time with an offset."""
    try:
        moment = datetime.fromisoformat(text_fact(message.facts, "since"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _firing(message: Message, context: AlertContext, state: str) -> str:
    down = "DOWN" if message.target.startswith(("service:", "unit:")) else "BAD"
    still = "STILL " if list_fact(message.facts, "did", most=1) else ""
    name, began = subject_name(message), began_at(message)
    where = f"{name} on {context.host_name}" if name else context.host_name
    when = f", since {clock_face(began, context)} ({elapsed(began, message.at.wall)})" if began else ""
    return f"{still}{down}. {where}{f': {state}' if state else ''}{when}."


def _recovered(message: Message, context: AlertContext, state: str) -> str:
    at = clock_face(message.at.wall, context)
    rest = state.removeprefix("RECOVERED").strip()
    return f"RECOVERED {at} {rest}".strip() if rest else f"RECOVERED {at}. {without_host(message, context)}"


def _of_incident(message: Message, context: AlertContext) -> list[Section]:
    facts, firing = message.facts, message.kind is MessageKind.FIRING
    log_source = one_line(text_fact(facts, "log_source"), 60)
    return [
        Section("WHAT IS ASKED", tuple(list_fact(facts, "asks", most=8)), steps=answer_steps(message), most=12),
        Section("WHAT IT DID", tuple(with_local_time(line, context) for line in list_fact(facts, "did", most=6)), most=9),
        Section(
            "SOMEBODY ELSE UNDOES IT",
            tuple(with_local_time(line, context) for line in list_fact(facts, "fight", most=6)),
            most=12,
        ),
        Section(
            "DOWN FOR ITS SAKE, NOT TOLD BY ITSELF",
            tuple(with_local_time(line, context) for line in list_fact(facts, "explains", most=8)),
            most=10,
        ),
        Section("WHY", (_why(message),) if _why(message) else (), most=3),
        Section("WHAT HAPPENS NEXT, IF YOU DO NOTHING" if firing else "NEXT", _texts(message, "next"), most=2),
        Section("PROBABLY RELATED", tuple(with_local_time(line, context) for line in list_fact(facts, "related", most=3))),
        Section("DO", steps=_incident_steps(message, context), block=1),
        Section("STOP IT", steps=_stop_steps(message) if firing else (), block=1),
        Section("UNDO", no_way_back(message), steps=_undo_steps(message), block=1),
        Section(SIGNAL_TITLE, tuple(list_fact(facts, "signal", most=3)), most=3, block=2, verbatim=True),
        Section("HOST", _texts(message, "host"), most=2, block=2),
        Section(f"LAST LINES {log_source}".strip(), tuple(list_fact(facts, "log", most=8)), most=8, block=2, verbatim=True),
    ]


def _of_many(message: Message) -> list[Section]:
    lines = tuple(list_fact(message.facts, "lines", most=36))
    count = message.facts.get("count")
    missing = count - len(lines) if isinstance(count, int) else 0
    more = (f"and {missing} more",) if missing > 0 else ()
    steps = [Step("See everything", "zen-agents incidents")]
    if message.kind is MessageKind.ROLL_UP:
        steps.append(Step("The engine", "zen-agents status"))
    if head := safe_word(text_fact(message.facts, "head")):
        steps.append(Step("Ledger's head", head, "keep it: audit verify --against shows a rewritten ledger"))
    return [
        Section("WHAT IT IS ABOUT", lines + more, most=37, verbatim=True),
        Section("WHY", _texts(message, "why"), most=3),
        Section("DO", steps=tuple(steps), block=1),
        Section("STOP IT", steps=_stop_steps(message) if message.kind is MessageKind.ROLL_UP else (), block=1),
    ]


def _of_engine(message: Message, context: AlertContext) -> list[Section]:
    what = message.dedup_key.rpartition("engine|")[2].partition(":")[0]
    host = safe_word(context.host_name) or "HOST"
    own = tuple(Step(label, command.format(host=host)) for label, command in _ENGINE_STEPS.get(what, ()))
    says_more = text_fact(message.facts, "why") not in text_fact(message.facts, "state")
    by_itself = (_ENGINE_NEXT[what],) if what in _ENGINE_NEXT else ()
    return [
        Section("WHY", _texts(message, "why") if says_more else (), most=4),
        Section("WHAT HAPPENS NEXT, IF YOU DO NOTHING", _texts(message, "next") or by_itself, most=3),
        Section("DO", steps=(Step("The engine", "zen-agents status"), *own), block=1),
    ]


def with_local_time(line: str, context: AlertContext) -> str:
    """Return a line whose leading ISO time, if it has one, is shown on the reader's clock."""
    first, _, rest = line.partition(" ")
    try:
        moment = datetime.fromisoformat(first)
    except ValueError:
        return line
    return f"{clock_face(moment, context)} {rest.strip()}" if moment.tzinfo else line


def _texts(message: Message, name: str) -> tuple[str, ...]:
    text = text_fact(message.facts, name)
    return (text,) if text.strip() else ()


def _why(message: Message) -> str:
    rule = f"(rule {message.rule}{_at(message)})" if message.rule else ""
    return f"{text_fact(message.facts, 'why')} {rule}".strip()


def _at(message: Message) -> str:
    origin = text_fact(message.facts, "origin")
    return f", {origin}" if origin else ""


def _incident_steps(message: Message, context: AlertContext) -> tuple[Step, ...]:
    id, steps = safe_id(message.incident), []
    if id:
        steps.append(Step("See everything", f"zen-agents why {id}"))
    if link := safe_address(context.link(id)):
        steps.append(Step("", link))
    if runbook := one_line(text_fact(message.facts, "runbook"), 500):
        steps.append(Step("Runbook", runbook))
    if id and message.kind is MessageKind.FIRING:
        steps.append(Step("I have it", f"zen-agents ack {id}", "no repeats; the engine stops acting on it for 1 h"))
    return tuple(steps) or (Step("The engine", "zen-agents status"),)


def answer_steps(message: Message) -> tuple[Step, ...]:
    """Return the commands that answer what a message asks, none if it asks nothing."""
    id = safe_id(text_fact(message.facts, "approval"))
    if not id:
        return ()
    yes = Step("Yes", f'zen-agents approve {id} --reason "..."', "every guard is asked again before it is done")
    return yes, Step("No", f'zen-agents deny {id} --reason "..."')


def _stop_steps(message: Message) -> tuple[Step, ...]:
    rule = safe_word(message.rule)
    own = (Step("This rule, 2 h", f"zen-agents pause rule:{rule} --for 2h"),) if rule else ()
    return (*own, Step("Everything", "zen-agents stop --emergency"))


def no_way_back(message: Message) -> tuple[str, ...]:
    """Return one line that says which of the engine's actions cannot be undone, nothing if all can."""
    names = list(dict.fromkeys(one_line(name, 60) for name in list_fact(message.facts, "lasting", most=6)))
    return (f"{', '.join(names)} cannot be undone: there is no previous state to return to.",) if names else ()


def _undo_steps(message: Message) -> tuple[Step, ...]:
    ids = [id for id in list_fact(message.facts, "undo", most=3) if safe_id(id)]
    labels = ("Last change", "Before that", "Before that")
    return tuple(Step(label, f"zen-agents undo {id}") for label, id in zip(labels, ids, strict=False))
