"""Every text of the pages, in English, by which the catalogues (``locales``) know it. Pure.

``tests/consent/pages/test_catalogues`` looks in each catalogue for whatever ``_`` marks or ``gettext`` says.
"""
