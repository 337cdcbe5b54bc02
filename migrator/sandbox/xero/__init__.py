"""What only Xero has: two addresses for the swap, session handles, connections, an organisation's limits."""
