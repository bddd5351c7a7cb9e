"""Sigma rules (the community's format, sigmahq.io) for the logs that are read here: made a test of lines, or refused."""
