"""A monitoring plugin that others can write is refused where it is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.settings import loaded

SECTIONS = {
    "scripts": "{{command: [{program}, -w, 10%]}}",
    "pools": "{{plugin: {{command: [{program}]}}}}",
}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what its own account alone could write")
def test_what_others_can_write_is_refused_at_its_place(tmp_path: Path, section: str) -> None:
    program = tmp_path / "check_disk"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o777)
    text = f"agents:\n  system_health:\n    {section}:\n      entry: {SECTIONS[section]}\n"
    result = loaded(text.format(program=program))
    assert [each.code for each in result.errors] == ["ZC407"]
    assert (result.errors[0].place.line, "everyone may write it" in result.errors[0].message) == (4, True)
    assert loaded(text.format(program="/bin/true")).errors == ()
