"""What else goes wrong meanwhile: one file each with its own right answer, listed in `chaos.variants.catalog`."""
