"""Log lines: how they are cut, read and understood. Pure: no file, no clock and no store, and everything has a bound."""
