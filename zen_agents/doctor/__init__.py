"""What may be wrong with the installation itself, examined without the engine's help, and packed for a report."""
