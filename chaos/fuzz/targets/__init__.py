"""One file a parser: `fuzz(data)`, which raises only on a real defect, and `SEEDS`, inputs that reach deep into it.

`WORDS`, if there, are pieces that random input alone would hardly hit on. Every file here is a target by being here.
"""
