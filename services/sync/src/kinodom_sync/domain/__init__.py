"""Rules of the rooms: plain functions and values, no transport, no store, time passed in."""
