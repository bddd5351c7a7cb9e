"""Soak: a real engine on real faults at an accelerated rate, and whether it grows, leaks or loses its ledger meanwhile."""
