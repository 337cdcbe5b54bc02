"""What only Vimeo has: its exchange, scopes, user, and words."""
