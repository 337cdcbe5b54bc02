"""The pages that users read: their texts, the languages of these, their templates and their style."""
