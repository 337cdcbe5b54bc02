"""What people see in their browser: log-in, the choice of organisations, the verifier, what went wrong."""
