"""Holds data sets against what is expected of them."""
