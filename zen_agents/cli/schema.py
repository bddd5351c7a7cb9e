"""The JSON Schema (draft-07) of the configuration, for editors.

Examples:
  zen-agents schema config > zen-agents.schema.json
"""

from __future__ import annotations

import argparse
import json

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.settings.schema import json_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `schema` takes."""
    parser.add_argument("what", nargs="?", choices=("config",), default="config", help="default: config")


def run(call: Call) -> int:
    """Print it: as it is, or in the envelope of -o json."""
    if call.machine:
        data(call, "schema", {"name": call.arguments.what, "document": json_schema()})
    else:
        print(json.dumps(json_schema(), indent=2, sort_keys=True))
    return 0
