"""Contracts in the community's formats, read as ours. Nothing of them is dropped silently: what is not asked is said."""
