"""Every code that settings can report: what it says, why it is refused, how to put it right, and an example."""

from __future__ import annotations

from zen_agents.settings.code import Code
from zen_agents.settings.codes_file import READING
from zen_agents.settings.codes_judgement import JUDGEMENT
from zen_agents.settings.codes_meaning import MEANING
from zen_agents.settings.codes_values import VALUES

CODES: dict[str, Code] = dict(sorted({**READING, **VALUES, **MEANING, **JUDGEMENT}.items()))
