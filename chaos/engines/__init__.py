"""The contenders: this engine, others that people run, and none at all, behind one interface."""
