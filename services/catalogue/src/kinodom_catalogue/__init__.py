"""The catalogue: titles, episodes, files on the disk, enrichment."""
