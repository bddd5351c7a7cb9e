"""A job that is done when USR1 comes: `job.py READY`; the file READY says that it waits for that."""

import signal
import sys
from pathlib import Path

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
Path(sys.argv[1]).touch()
signal.sigwait({signal.SIGUSR1})
