"""zen-agents: rule-based autonomous remediation of Linux hosts."""

__version__ = "0.1.0"
