"""Packages: what is installed where, how versions are ordered, what advisories say of them. Pure: no file, no network."""
