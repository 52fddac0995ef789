"""Rules of the gateway: links, search over the house and the sources, rooms, the demo."""
