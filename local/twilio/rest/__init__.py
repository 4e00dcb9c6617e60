"""Twilio's REST API over the account in memory."""
