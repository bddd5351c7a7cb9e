"""The whole engine on a simulated host, clock, store and pager: seeded, an hour in a fraction of a second."""
