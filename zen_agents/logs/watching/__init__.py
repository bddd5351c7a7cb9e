"""What the rules of a source make of its lines as they come: which match, which are found, and what is remembered."""
