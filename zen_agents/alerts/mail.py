"""Render a message as a mail: subject, text, HTML and headers, as plain values.

The text part has at most 60 lines of 78 columns (a command or address is never broken, so its line may be longer); its first
lines fit a lock screen. Nothing untrusted can add a header, a line or markup.
"""

from __future__ import annotations

import hashlib

from zen_agents.alerts.context import AlertContext, zone_line
from zen_agents.alerts.facts import text_fact
from zen_agents.alerts.mail_html import html_part
from zen_agents.alerts.plain_text import COLUMNS, cut, one_line, safe_id, wrapped
from zen_agents.alerts.sections import Section, Step, headline, sections
from zen_agents.dataclass import dataclass
from zen_agents.model.message import Message, MessageKind

#: A text part has fewer lines than this.
MOST_LINES = 60
_LABEL_WIDTH = 17


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A mail without its addresses. Header values hold no line breaks."""

    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]


def render_email(message: Message, context: AlertContext, *, first_subject: str = "", because: str = "") -> RenderedEmail:
    """Return the mail for a message.

    Args:
        message: What is told.
        context: The host it is about.
        first_subject: Subject of the first mail of the same thread; the follow-up keeps it with `Re: `.
        because: Why this reader gets it: "route 1 (config.yaml:145) names email".
    """
    title = headline(message, context)
    parts = sections(message, context)
    foot = _foot(message, context, because)
    return RenderedEmail(
        subject=f"Re: {first_subject}" if first_subject else subject(message, context),
        text=_text(title, parts, foot),
        html=html_part(title, parts, foot),
        headers=_headers(message, context),
    )


def subject(message: Message, context: AlertContext) -> str:
    """Return the subject of a first mail: severity, host, what is wrong, and the incident to ask for."""
    word = {
        MessageKind.RESOLVED: "RESOLVED",
        MessageKind.DIGEST: "DIGEST",
        MessageKind.TEST: "TEST",
    }.get(message.kind, message.severity.value.upper())
    text = one_line(message.summary, 900)
    if not text.startswith(f"{context.host_name}: "):
        text = f"{context.host_name}: {text}"
    id = safe_id(message.incident)
    end = f" ({id})" if id else ""
    return one_line(f"[zen {word}] {cut(text.removesuffix(end), 150)}{end}", 220)


def _headers(message: Message, context: AlertContext) -> tuple[tuple[str, str], ...]:
    root = f"<zen-root.{_thread(message)}@{context.domain}>"
    environment = one_line(context.labels.get("env", ""), 40)
    label = "".join(character for character in environment if character.isascii() and character.isalnum())
    list_name = f"alerts.{label}" if label else "alerts"
    states = {MessageKind.FIRING: "firing", MessageKind.RESOLVED: "resolved"}
    return (
        ("In-Reply-To", root),
        ("References", root),
        ("List-Id", f"zen-agents alerts{f' for {label}' if label else ''} <{list_name}.zen-agents.{context.domain}>"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Zen-Host", one_line(context.host_name, 200)),
        *((("X-Zen-Incident", safe_id(message.incident)),) if safe_id(message.incident) else ()),
        ("X-Zen-Severity", message.severity.value),
        ("X-Zen-State", states.get(message.kind, message.kind.value)),
    )


def _thread(message: Message) -> str:
    """Return what a whole thread has in common: the incident, else the key, shortened to a word."""
    return safe_id(message.incident) or "k" + hashlib.sha256(message.dedup_key.encode(errors="replace")).hexdigest()[:16]


def _foot(message: Message, context: AlertContext, because: str) -> list[str]:
    config = f", config {context.config_digest[:12]}" if context.config_digest else ""
    mode = one_line(text_fact(message.facts, "mode"), 200)
    about = f"zen-agents {context.version}{config}{f', mode {mode}' if mode else ''}.".replace("  ", " ")
    why = f"You get this because {one_line(because, 300)}. " if because else ""
    return [one_line(about), one_line(f"{why}{zone_line(message.at.wall, context)}")]


def _text(title: list[str], parts: list[Section], foot: list[str]) -> str:
    head = [line for sentence in title for line in wrapped(sentence, most=3)]
    tail = ["", *(line for sentence in foot for line in wrapped(sentence, most=3))]
    body: list[str] = []
    block = -1
    for part in parts:
        if part.block != block:
            body.append("")
            block = part.block
        body += _section(part)
    room = MOST_LINES - 1 - len(head) - len(tail)
    if len(body) > room:  # the last lines of a log are what a reader can best do without
        body = [*body[: room - 1], "  ..."]
    return "\n".join([*head, *body, *tail]) + "\n"


def _section(part: Section) -> list[str]:
    lines = [part.title]
    for text in part.lines:
        if part.verbatim:
            lines.append(cut("  " + one_line(text), COLUMNS))
        else:
            lines += wrapped(text, indent="  ", hanging="            " if part.most > 4 else "  ", most=3)
    lines = lines[: part.most + 1]
    for step in part.steps:
        lines += _step(step)
    return lines


def _step(step: Step) -> list[str]:
    lines = [f"  {step.label:<{_LABEL_WIDTH}}{step.command}"]
    if step.note:
        lines.append(f"  {'':<{_LABEL_WIDTH}}({step.note})")
    return lines
