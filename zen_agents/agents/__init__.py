"""BaseAgent and the agents: declarations of purpose, boundaries, checks, rules and ladders."""
