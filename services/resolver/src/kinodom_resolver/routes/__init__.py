"""HTTP of the resolver: parse, ask the domain, render."""
