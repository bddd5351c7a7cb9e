"""Reads what is written to logs: the lines that tell of something, how many, in which order, and those that are missing."""
