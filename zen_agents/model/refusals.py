"""How a value that a person wrote is refused.

Every refusal is a `PydanticCustomError` whose type is stable (`unit`, `percent_range`, `time_zone` ...; the list is
`ERROR_TYPES`), so that the loader of settings can give it a code. Its message is a predicate without the key's name
("needs a unit, got `5`"); the context may carry `label` (what to write instead, shown under the caret), `suggest` (a
word to write instead) and `offset` (where inside the text it went wrong).
"""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import PydanticCustomError

#: Error type -> what kind of mistake it is; nothing else is raised from here.
ERROR_TYPES = {
    "unit": "a number without a unit, or with an unknown one",
    "range": "a number outside its range",
    "percent_range": "a percentage outside its range",
    "time_zone": "a time zone nobody knows",
    "time_of_day": "not a time of day",
    "regex": "not a regular expression",
    "cron": "not a cron expression",
    "path": "not an absolute, plain path",
    "octal": "not a file mode in octal",
    "name": "not a plain name",
    "address": "not an address",
    "text": "not a text",
    # Raised by the models of agents and actions, about what their own keys say together. Their context may name the key
    # below the model as `at` ("thresholds.cpu.clear") and a second one as `see`.
    "clear": "a clear that is not below its threshold",
    "conflict": "settings that contradict each other",
    "reference": "a name that refers to nothing",
    "cycle": "things that depend on each other in a circle",
    "root": "a command that would run as root without saying so",
    "protected": "a protected thing as a target",
    "later": "a part of the grammar that a later version brings",
}

#: What no text of one line has in it.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def refuse(
    type_: str, message: str, *, label: str = "", suggest: str = "", offset: int = -1, at: str = "", see: str = ""
) -> PydanticCustomError:
    """Return the error for one refused value; `type_` is one of `ERROR_TYPES`.

    `at` and `see` are dotted paths below the value: the key it is about, and the one it disagrees with.
    """
    given = {"label": label, "suggest": suggest, "at": at, "see": see}
    context: dict[str, Any] = {name: text for name, text in given.items() if text}
    if offset >= 0:
        context["offset"] = offset
    # Braces would be read as places to fill in.
    return PydanticCustomError(type_, message.replace("{", "(").replace("}", ")"), context or None)


def shown(value: object) -> str:
    """Return a value for a message: YAML's words, one line, bounded."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    return CONTROL.sub("?", str(value))[:60]
