"""The links that users are sent: how long they are valid, their tokens, and the file for the mail merge."""
