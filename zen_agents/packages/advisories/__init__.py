"""Advisories: which versions of which packages have a known weakness, who says so, and what is not known."""
