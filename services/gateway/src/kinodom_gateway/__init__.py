"""The gateway: pages, the browser's API, signed links."""
