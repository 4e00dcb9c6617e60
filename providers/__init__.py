"""What the functions rely on: Firestore, Twilio, configuration, log."""
