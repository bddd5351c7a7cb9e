"""Fuzzing: every parser of the engine on any input. A new target is one file in `targets/`."""
