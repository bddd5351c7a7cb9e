"""One reason to refuse per file."""
