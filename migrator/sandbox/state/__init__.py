"""What the sandbox knows: users, tenants, tokens, pairs, its clock; and the witness of all that was done."""
