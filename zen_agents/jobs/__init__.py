"""Typed requests and replies of the workers."""
