"""How a message reads, without how it is sent."""
