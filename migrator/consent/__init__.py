"""The campaign: those who cannot be swapped are invited, and taken through their consent, one click each."""
