"""What kinds of lines there are: templates, those that are new, those that vanished, and how often each comes by its season.

Lines are masked (`masks`), grouped by Drain's fixed-depth tree (`tree`: He et al., "Drain: An Online Log Parsing Approach
with Fixed Depth Tree", ICWS 2017), and remembered by their shape, so that only a line of a shape not seen lately is grouped
at all (`miner`). How often lines come is compared with the same hour of other weeks (`baseline`, `rates`).
"""
