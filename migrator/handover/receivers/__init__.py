"""What takes pairs while they are won: one kind of receiver a file.

- ``interface``: what a receiver is
- ``table``: a table of the application's database
- ``program``: a program of the user's, a JSON line a pair
  - ``running_program``: its process, and lines to it and from it
  - ``told_problems``: why it refuses a pair, without secrets
- ``webhook``: an HTTPS endpoint of the application's (Standard Webhooks)
- ``named``: which of them a text such as ``exec:…`` names
"""
