"""The wallboard without a browser: its figures, its cost, its answers."""
