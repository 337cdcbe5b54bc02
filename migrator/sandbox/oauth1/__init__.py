"""OAuth 1.0a (RFC 5849), as any provider speaks it."""
