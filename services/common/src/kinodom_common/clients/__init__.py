"""Typed clients of the services, one module each, over `kinodom_common.http`."""
