"""A small local site with three films made on the spot."""
