"""Mutation testing of what decides and of what remembers: guards, rules and the ledger."""
