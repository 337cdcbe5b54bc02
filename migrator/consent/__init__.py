"""The campaign: those who cannot be swapped are invited, and taken through their consent, one click each.

Where to look:

- ``links/``: what ``reconsent links`` writes; how long a link is valid (``validity``), a link's token.
- ``visits/``: what a user's visit at the provider means, and which page their link leads to then.
- ``pages/``: what users read. English in ``texts/`` (after Cancel: ``not_connected``), other languages in
  ``locales/``, HTML in ``templates/``, CSS in ``static/``; which language a browser gets.
- ``web/``: the web application. Its routes, cookies, errors, limits, and the server that runs it.
- ``exchange``: a code is exchanged for a pair, and the pair is seen to reach what was asked for.
- ``unverified_pairs``: pairs that could not be seen to yet are tried again meanwhile.
- ``serve``: what ``reconsent serve`` puts together. ``public_url``: where users reach it.
"""
