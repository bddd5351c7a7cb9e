"""Open files copied under new names, with the likeness of what was copied (R27). Imported when that is done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from zen_agents.adapters.file_content import pour
from zen_agents.adapters.file_identity import plain_name
from zen_agents.adapters.likeness import Likeness
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError
from zen_agents.ports.host_files import FileState

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Copying:
    """Copies into one open directory; half a copy never stays there."""

    descriptor: int
    path: str
    #: Raises if the emergency stop is set; asked at each piece.
    go_on: Callable[[], None]
    #: Removes a file of the directory, by the inode that it was seen with.
    unlink: Callable[[FileState], None]

    def copy(self, source: int, new_name: str, *, compress: bool, like: Likeness) -> int:
        """Stream an open file into a new one that gets a likeness, durably; return the bytes read.

        StalePlanError if the name is taken, HostError if it cannot be made or written.
        """
        path = f"{self.path.rstrip('/')}/{plain_name(new_name)}"
        try:
            target = os.open(new_name, _NEW_FILE, 0o600, dir_fd=self.descriptor)
        except FileExistsError as error:
            raise StalePlanError(f"{path} is there already; nothing was done") from error
        except OSError as error:
            raise HostError(f"{path} cannot be made: {error.strerror}") from error
        try:
            with os.fdopen(os.dup(target), "wb") as stream:
                count = pour(source, stream, compress=compress, go_on=self.go_on, modified=like.modified_ns // 10**9)
            like.give_to(target, path)
            os.fsync(target)
        except BaseException as error:
            # Half a copy helps nobody; it is removed by the inode that was made here.
            with contextlib.suppress(OSError, StalePlanError, HostError):
                self.unlink(file_state(path, os.fstat(target)))
            if isinstance(error, OSError):
                raise HostError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
            raise
        finally:
            os.close(target)
        os.fsync(self.descriptor)
        return count
