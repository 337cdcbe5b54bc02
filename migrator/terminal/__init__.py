"""What people see of a command: tables, texts, progress.

- ``present``: the plan and the status; ``campaign``: who must authorise again
- ``planned_calls``: how many calls a plan takes, and how long; ``durations``: in words
- ``progress``: the bar, or a line now and then; ``tables``: rows for people and spreadsheets
- ``printable``: texts from outside, made fit for a terminal
"""
