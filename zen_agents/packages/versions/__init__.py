"""The order of versions, one for each ecosystem, as the ecosystem itself defines it."""
