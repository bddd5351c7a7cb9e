"""The JSON Schema (draft-07) of the configuration, for editors, or of what a command prints with -o json.

Examples:
  zen-agents schema config > zen-agents.schema.json
  zen-agents schema status                       of {"schema": "zen-agents/status/v1", ...}
"""

from __future__ import annotations

import argparse
import json

from zen_agents.cli import shapes
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.parsing import meant
from zen_agents.cli.shapes import SHAPES
from zen_agents.errors import UsageError
from zen_agents.settings.schema import json_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `schema` takes."""
    parser.add_argument(
        "what", nargs="?", metavar="NAME", default="config", help="config (the default), or as in zen-agents/NAME/v1"
    )


def run(call: Call) -> int:
    """Print it: as it is, or in the envelope of -o json."""
    name = call.arguments.what
    if name != "config" and name not in SHAPES:
        raise UsageError(f"there is no schema {name!r}{meant(name, SHAPES)}; there are: config, {', '.join(sorted(SHAPES))}")
    document = json_schema() if name == "config" else shapes.json_schema(name)
    if call.machine:
        data(call, "schema", {"name": name, "document": document})
    else:
        print(json.dumps(document, indent=2, sort_keys=True))
    return 0
