"""The sync service: rooms in step and live progress."""
