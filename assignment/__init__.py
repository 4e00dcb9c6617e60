"""The engine: the only code that changes who has a conversation. `matching` is the way in; `ledger` writes."""
