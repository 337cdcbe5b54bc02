"""What only X has: its token endpoint, scopes, user, limits and words."""
