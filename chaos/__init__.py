"""Real faults on real, disposable hosts: the project's integration tests, safety proof and benchmark."""
