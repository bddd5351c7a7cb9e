"""The agent that keeps one Linux host healthy."""
