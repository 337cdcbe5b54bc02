"""What only Tumblr has: its exchange, token endpoint, user, limits and envelope."""
