"""Shell patterns of guards: the same answers as fnmatch, and no regular expression where none is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.guards.patterns import matches

_LETTERS = st.text(alphabet="ab*?[]!-.@\n", max_size=6)


@given(name=_LETTERS, patterns=st.lists(_LETTERS, max_size=4))
def test_any_pattern_fits_exactly_what_fnmatch_says(name: str, patterns: list[str]) -> None:
    assert matches(name, tuple(patterns)) is any(fnmatchcase(name, pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("ssh.service", "ssh.service", True),
        ("ssh.services", "ssh.service", False),
        ("ssh@1.service", "ssh@*.service", True),
        ("ssh@.service", "ssh@*.service", True),
        ("aba", "ab*ba", False),
        ("axbx", "a*b*", True),
        ("axb", "a*?b", True),
        ("Postgres", "postgres*", False),
        ("anything", "*", True),
        ("", "*", True),
        ("x", "", False),
    ],
)
def test_the_whole_name_counts(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, (pattern,)) is fits


@pytest.mark.skipif("MUTANT_UNDER_TEST" in os.environ, reason="what leads to a mutant compiles expressions of its own")
def test_the_shipped_sets_need_no_regular_expression() -> None:
    program = (
        "import re\n"
        "from zen_agents.guards import ownership, patterns, protected_names, stateful_names\n"
        "def refuse(*_): raise SystemExit('compiled')\n"
        "re.compile = refuse\n"
        "for shipped in (protected_names.UNITS, protected_names.PROCESSES, protected_names.SESSION_HOSTS,\n"
        "                protected_names.PATHS, stateful_names.NAMES, ownership._OWNED_UNITS):\n"
        "    assert not patterns.matches('web.service', shipped)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
