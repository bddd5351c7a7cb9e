"""Data sets: where they lie, what is expected of them, how that is asked in SQL, what was found. Opens nothing itself."""
