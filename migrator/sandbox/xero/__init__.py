"""What only Xero has: its paths, the swap, session handles, connections, limits, claims and words."""
