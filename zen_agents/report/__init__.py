"""What came of it: how often the engine helped, for how long, and what is better mended for good. Reads the state alone."""
