"""HTTP: rooms are made and listed here; what happens in them goes over the socket."""
