"""The job at work, and whatever starts and ends it.

- ``job``: claim, call, read, judge, record; ``worker_pool``: its queue and workers; ``gate``: lets calls out
- ``engine``: what every run needs, put together; ``open_run``: one run under way, and how it ended
- ``swap_run``: ``run`` and ``resume``, with the canary; ``preview``: the dry run
- ``delivery``: what a job asks of a hand-over beside it
- ``recovery_notes``: what a dead process left, told; ``reread_answers``: answers that are understood only now
- ``interruption``: Ctrl-C and its kin; ``first_fault``: what ends a job; ``open_files``: how many it may need
"""
