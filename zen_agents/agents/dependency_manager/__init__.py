"""dependency_manager: finds packages that are weak or old, and upgrades what policy says."""
