"""Patience: hours, words to the customer, and what else keeps somebody from being forgotten."""
