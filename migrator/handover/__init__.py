"""Pairs out: into the hands of the application that they belong to."""
