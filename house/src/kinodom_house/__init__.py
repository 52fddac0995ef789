"""Starts, stops and prepares the house on one machine."""
