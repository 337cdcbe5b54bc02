"""The sandbox's way in: the web server, what is counted, limited and spoilt on purpose."""
