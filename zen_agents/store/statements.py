"""Loads `statements.sql`: name -> SQL."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_FOLDER = Path(__file__).parent

#: DDL of an empty state, generated from the models.
SCHEMA_FILE = _FOLDER / "schema.sql"


def load(path: Path = _FOLDER / "statements.sql") -> dict[str, str]:
    """Return all statements of a file by name; raises ValueError if a name is there twice."""
    parts = _HEADER.split(path.read_text(encoding="utf-8"))
    names, texts = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: a statement's name is there twice")
    return {name: text.strip() for name, text in zip(names, texts, strict=True)}


SQL = load()
