"""The core: rules, handlers and flows."""
