"""What lines of a log tell of log-ins, accounts, privileges and attacks: who, from where, with which result.

Whatever a client chooses (a user name, a banner, the name in a certificate, a path) may look like anything else in the line.
So an address or a user is only taken from the place where the program itself prints it; where two places look like that, and
nothing in the line tells which of them is the program's, there is neither. Whoever may write to the log as that program can
still say anything: a line alone is never more than what somebody wrote.
"""
