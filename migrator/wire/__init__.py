"""The way to the provider: the only room that speaks HTTP.

Requests go out as a profile has built them, signed and within a time limit; answers come back as they are.
"""
