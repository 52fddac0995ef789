"""The downloader: wishes, segments, packaging, the media folder."""
