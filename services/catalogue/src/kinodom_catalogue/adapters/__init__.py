"""Where the catalogue touches the store, the queue, the disk and other sites."""
