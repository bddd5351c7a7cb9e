"""What lines of a log mean: a format a file, listed in `catalog`."""
