"""Read-only questions asked of a host, one file each."""
