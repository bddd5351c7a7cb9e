"""Benchmarks of the engine beside its anchors; run by `scripts/bench`, never by the tests."""
