"""Print the JSON Schema (draft-07) of the configuration, for editors: schema config > zen-agents.schema.json."""

from __future__ import annotations

import argparse
import json

from zen_agents.cli.call import Call
from zen_agents.settings.schema import json_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `schema` takes."""
    parser.add_argument("what", nargs="?", choices=("config",), default="config")


def run(call: Call) -> int:
    """Print it."""
    del call
    print(json.dumps(json_schema(), indent=2, sort_keys=True))
    return 0
