"""Rules of the downloader: playlists, plans, checks, manifests, wishes. No framework, no store, no network."""
