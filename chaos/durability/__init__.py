"""What becomes of an engine's state when the process, the disk or the power fails under it.

    python -m chaos.durability seams                    # each call that makes something durable, failing in each way
    python -m chaos.durability power --count 500        # the power cut at any of those calls
    python -m chaos.durability store --count 500        # the same under the store alone, without a compiler
    python -m chaos.durability kill --count 300 --seed 1

`disk_calls` sees what a real engine does to its disk and makes it fail; `seams` names all of it; `disk` knows what a cut may
leave of it. Whether what is left is right says the oracle of `chaos.invariants`.
"""
