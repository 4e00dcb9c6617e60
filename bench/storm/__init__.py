"""A storm: many customers and workers, processes that are killed, Twilio and webhooks in trouble; then the count."""
