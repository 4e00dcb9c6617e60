"""Functions of the service, one module per webhook and trigger."""
