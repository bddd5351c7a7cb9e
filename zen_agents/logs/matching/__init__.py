"""Which lines hold which patterns, in time linear in what is read, the same with every engine there is."""
