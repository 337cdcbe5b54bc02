"""What only Intuit has: its migration, XML reconnection, refresh, discovery, and words."""
