"""One file a command: parse, wire up, call, print. ``cli`` lists them."""
