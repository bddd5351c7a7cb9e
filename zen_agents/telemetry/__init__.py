"""How the engine's own logs and metrics are named and written."""
