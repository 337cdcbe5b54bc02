"""What a profile says, for people.

- ``topics``: all of it, in order; ``calls``, ``dates``, ``limits``, ``refusals``, ``tokens``: a topic each
- ``sent``: what the engine would send for an invented token
"""

from migrator.providers.describing.dates import exchange_text
from migrator.providers.describing.sent import sent_topics
from migrator.providers.describing.tokens import access_life, refresh_life, second_swap
from migrator.providers.describing.topic import Topic
from migrator.providers.describing.topics import topics

__all__ = ["Topic", "access_life", "exchange_text", "refresh_life", "second_swap", "sent_topics", "topics"]
