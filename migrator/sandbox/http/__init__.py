"""HTTP: server, web application, and the middleware that counts and limits calls and injects faults."""
