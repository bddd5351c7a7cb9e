"""YAML to typed settings, every error at once with its place."""
