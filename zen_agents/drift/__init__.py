"""Drift: what a file or setting should be, who may say so, and whose change is respected. Changes nothing."""
