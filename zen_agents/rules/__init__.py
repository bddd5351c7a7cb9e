"""Pure decisions over values and an instant: no I/O, no clock of its own."""
