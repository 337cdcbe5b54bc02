"""What a profile says, for people.

- ``topics``: all of it, in order; ``calls``, ``dates``, ``limits``, ``refusals``, ``tokens``: a topic each
"""

from migrator.providers.describing.dates import end_text, exchange_text
from migrator.providers.describing.tokens import promise_text, repeat_text
from migrator.providers.describing.topics import Topic, topics

__all__ = ["Topic", "end_text", "exchange_text", "promise_text", "repeat_text", "topics"]
