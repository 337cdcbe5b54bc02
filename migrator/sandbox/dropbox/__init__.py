"""What only Dropbox has: its exchange, account, and words."""
