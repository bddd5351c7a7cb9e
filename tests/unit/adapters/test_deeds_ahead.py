"""What a deed needs is there before the first fault, on hosts where it is allowed and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from zen_agents import catalog
from zen_agents.adapters.deeds_ahead import DEEDS

_LOADED = """
import sys
from zen_agents.adapters.deeds_ahead import load_deeds
load_deeds(sys.argv[1:])
print(*(name for name in sys.modules if name.startswith("zen_agents.adapters.")))
"""


@pytest.mark.parametrize("action", DEEDS)
def test_each_is_an_action_and_each_module_is_there(action: str) -> None:
    assert action in catalog.ACTIONS
    assert all(find_spec(f"zen_agents.adapters.{module}") for module in DEEDS[action])


@pytest.mark.parametrize(("allowed", "loads"), [("compress_log_archives", True), ("restart_service", False)])
def test_only_what_is_allowed_is_loaded(allowed: str, *, loads: bool) -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED, allowed], capture_output=True, text=True, check=True)
    assert ("zen_agents.adapters.safe_compressing" in done.stdout.split()) is loads
