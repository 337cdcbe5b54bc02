"""OAuth 2.0 (RFC 6749, 7009, 7636; OpenID Connect), as any provider speaks it."""
