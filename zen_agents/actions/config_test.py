"""A service's own test of its configuration, asked of a candidate before that takes the place of what is there."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.errors import ActionFailedError
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_commands import Command

#: In an argument list, where the path of the candidate goes.
CANDIDATE = "CANDIDATE"


class ConfigTestParams(BaseModel):
    """An argument list, as which account it runs, and for how long at most."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    run: tuple[str, ...] = Field(min_length=1, description="argument list; CANDIDATE stands for the file to be tested")
    user: str = Field("", description="account it runs as")
    timeout_seconds: float = Field(10.0, gt=0, description="how long it may take, in seconds")

    @property
    def words(self) -> str:
        """The argument list for people."""
        return json.dumps(self.run)

    def command(self, path: str) -> Command:
        """Return the command that tests one file."""
        argv = tuple(path if argument == CANDIDATE else argument for argument in self.run)
        return Command(argv, self.user, timeout_seconds=self.timeout_seconds)


async def must_pass(test: ConfigTestParams, path: str, control: HostControl) -> None:
    """Run the test on a candidate; ActionFailedError if it does not pass in time: nothing was replaced yet."""
    result = await control.run(test.command(path))
    if result.timed_out or result.exit_code != 0:
        end = "did not end in time" if result.timed_out else f"ended with {result.exit_code}"
        said = result.output.strip()[-300:]
        raise ActionFailedError(f"{test.words} {end} on what was to be put there; nothing was replaced. It said: {said}")
