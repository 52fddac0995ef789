"""The downloader to the outside: store, queue, network, processes, files."""
