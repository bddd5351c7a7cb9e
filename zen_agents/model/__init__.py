"""The nouns, frozen. This family imports nothing but the clock and the errors."""
