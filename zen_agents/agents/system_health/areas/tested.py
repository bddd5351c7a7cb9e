"""What a test of a configuration must say, whoever lists it."""

from __future__ import annotations

import os

from zen_agents.model.refusals import refuse

#: In an argument list, where the path of the candidate goes; `actions.config_test` puts it there.
_CANDIDATE = "CANDIDATE"


def refuse_bad_test(test: tuple[str, ...] | None, user: str | None, *, at: str) -> None:
    """Refuse a test of a configuration that tests nothing, or would run as root without saying so (R29)."""
    if test is None:
        if user is not None:
            raise refuse("one_of", f"belongs to `{at}`, which is not given", at=f"{at}_user")
        return
    if not test or not test[0].startswith("/"):
        raise refuse("path", "begins with the absolute path of a program", at=at)
    if _CANDIDATE not in test[1:]:
        raise refuse("reference", f"does not say what is to be tested: write {_CANDIDATE} where the file's path goes", at=at)
    if user is None and os.geteuid() == 0:
        message = f"needs `{at}_user:` because the engine runs as root; write root only if you mean it"
        raise refuse("root", message, at=at)
