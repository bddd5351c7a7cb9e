"""When lines are worth telling: too many, none, or one after the other, for each key apart. Pure: it is told the time.

Every detector is handed the time of each line (seconds) by its caller: where a log is followed, the engine's steady time at
which the line arrived, which nothing in the line can move; where a file is scanned in bulk, the time that the line says. A
line's own time may be forged or late: it is only ever compared with times of the same key, so that who writes lines with
one key can move no other key's window. A line that says no time is handed the time of the line before it.

What is kept is bounded: see `keys.KeyTable` for how many keys, and for what forgetting one costs whoever wants it forgotten.
"""
