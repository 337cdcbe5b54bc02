"""What a user's visit at the provider means: for their invitation, and for the page that they see. Pure."""
