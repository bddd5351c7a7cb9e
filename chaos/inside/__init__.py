"""Programs that run inside a disposable host: what is looked after, who takes its mail, and what it looks like."""
