"""What the resolver's rules stand on: Redis, the way out, children that parse, files, sites described in files."""
