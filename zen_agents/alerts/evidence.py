"""What was seen before a repair, as a text beside the mail and as one line of a page."""

from __future__ import annotations

from zen_agents.alerts.facts import list_fact, text_fact
from zen_agents.alerts.plain_text import one_line
from zen_agents.model.message import Message

FILE_NAME = "evidence.txt"
_MOST_LINES = 40


def evidence_text(message: Message) -> str:
    """Return the text of the attachment, "" if nothing was taken."""
    facts = message.facts
    source = one_line(text_fact(facts, "log_source"), 60)
    parts = {
        "PROCESSES, largest and busiest, before the repair": list_fact(facts, "processes", most=_MOST_LINES),
        "OPEN FILES of the process that was repaired": list_fact(facts, "open_files", most=_MOST_LINES),
        "STACKS of its threads": list_fact(facts, "stacks", most=_MOST_LINES),
        "DESCRIPTORS that it had open": [kinds] if (kinds := text_fact(facts, "descriptors")) else [],
        f"LAST LINES {source}".strip(): list_fact(facts, "log", most=_MOST_LINES),
    }
    if not any(facts.get(name) for name in ("processes", "open_files", "stacks")):
        return ""  # the last lines alone stand in the mail
    return "\n".join(
        "\n".join([title, *(f"  {one_line(line, 300)}" for line in lines), ""]) for title, lines in parts.items() if lines
    )


def evidence_line(message: Message) -> str:
    """Return it in short, "" if nothing was taken."""
    top, files = list_fact(message.facts, "processes", most=3), list_fact(message.facts, "open_files", most=_MOST_LINES)
    stacks = list_fact(message.facts, "stacks", most=1)
    said = [f"top: {', '.join(top)}" if top else "", f"{len(files)} files open, like {files[-1]}" if files else "", *stacks]
    return one_line("; ".join(filter(None, said)), 1000)
