"""What people see of a command: tables, texts, progress."""
