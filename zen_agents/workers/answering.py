"""How a worker that is asked once answers: the request comes on standard input, the reply goes to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from zen_agents.datasets.plain import MalformedDatasetError

Request = TypeVar("Request", bound=BaseModel)


def answered(request: type[Request], answer: Callable[[Request], BaseModel], *, goes_on: bool = False) -> int:
    """Read the request, write the reply, and return the exit status: 2 for what is no request.

    `goes_on`: the request is a line, and whoever asks has more to say behind it.
    """
    try:
        asked = sys.stdin.buffer.readline() if goes_on else sys.stdin.buffer.read()
        reply = answer(request.model_validate_json(asked))
    except (ValidationError, MalformedDatasetError) as error:
        sys.stderr.write(f"this is no request: {str(error).splitlines()[0]}\n")
        return 2
    sys.stdout.write(reply.model_dump_json())
    return 0


def leave(status: int) -> NoReturn:
    """End this process, which has nothing open to write but its streams, at once.

    To take the libraries apart before takes as long as a look at a small file, and ends in the same.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
