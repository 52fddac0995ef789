"""What the resolver's sources stand on: sites described in files, and the way out of programs that are not ours."""
