"""Legacy tokens for a client: invented or taken over, with the settings and secrets that go with them."""
