"""The rules of the catalogue. No HTTP, no store, no clock of its own."""
