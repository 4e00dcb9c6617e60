"""The engine: the only code that assigns conversations. `matching` is the way in; `ledger` writes."""
