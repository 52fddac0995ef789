"""Pages for people and `/api/v1` for scripts."""
