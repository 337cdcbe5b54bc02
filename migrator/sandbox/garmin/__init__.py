"""What only Garmin has: its exchange, token endpoint, consent page, users and words."""
