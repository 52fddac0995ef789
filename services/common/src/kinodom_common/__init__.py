"""What every service of the house needs: plumbing and wire shapes, no rule of a domain."""
