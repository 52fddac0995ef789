"""Redis, signed tokens and sockets."""
