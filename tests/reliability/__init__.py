"""Nothing lost, nobody doubled: the invariants under repeats, disorder, crashes and failures."""
