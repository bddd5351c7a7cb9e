"""The same questions in the SQL of each database."""
