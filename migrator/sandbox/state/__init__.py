"""What the sandbox knows: users, tenants, tokens, swaps, pairs, its clock; and the witness of it all."""
