"""Reads VEX, by whichever of the two ways in which it is written."""

from __future__ import annotations

import json
from typing import Final

from pydantic import ValidationError

from zen_agents.packages.advisories.vex import Statement
from zen_agents.packages.advisories.vex_cyclonedx import of_cyclonedx
from zen_agents.packages.advisories.vex_openvex import of_openvex

_OPENVEX: Final = "https://openvex.dev/ns"


class MalformedVexError(ValueError):
    """This is no VEX document; nothing is excused by it."""


def statements_of(content: bytes, source: str) -> tuple[Statement, ...]:
    """Return what a document says; MalformedVexError says what is wrong with it: nobody goes by half of one."""
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedVexError("is no JSON") from None
    try:
        if isinstance(read, dict) and str(read.get("@context", "")).startswith(_OPENVEX):
            return tuple(of_openvex(read, source))
        if isinstance(read, dict) and read.get("bomFormat") == "CycloneDX":
            return tuple(of_cyclonedx(read, source))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedVexError(f"is not as VEX is written: {place}: {first['msg']}") from None
    raise MalformedVexError("is neither OpenVEX nor CycloneDX")
