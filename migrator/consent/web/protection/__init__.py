"""Against those who do not come to consent. Pure, but for the count of invalid links."""
