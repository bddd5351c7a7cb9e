"""The faults: one file each, listed in `chaos.faults.catalog`. None knows any engine."""
