"""What can be proved of a rule set without running it: how much it may do at worst, and what in it can never work."""
