"""The resolver: what can be played, from which source."""
