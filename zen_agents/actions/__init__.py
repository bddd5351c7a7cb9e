"""Bounded changes to a host, one file each."""
