"""The web application behind the links: which request is answered how."""
