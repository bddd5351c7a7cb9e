"""Which schema this version writes. The engine compares; a worker migrates."""

from __future__ import annotations

#: Revision of `schema.sql` and of the newest migration. Revisions are four digits and sort by age.
SCHEMA_REVISION = "0003"
