"""What the resolver decides: whom to ask, how long to wait, what to believe. No network here."""
