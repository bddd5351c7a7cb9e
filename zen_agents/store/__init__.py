"""The schema of the state: models, migrations, statements, ledger format."""
