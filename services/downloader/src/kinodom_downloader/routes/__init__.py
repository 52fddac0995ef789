"""HTTP of the downloader."""
