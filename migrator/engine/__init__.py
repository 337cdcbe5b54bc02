"""The job at work: claim, call, read, judge, record; and whatever starts and ends it."""
