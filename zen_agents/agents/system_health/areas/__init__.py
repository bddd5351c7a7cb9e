"""The areas of system_health, one file each: what a section of its settings watches, may do and judges."""
