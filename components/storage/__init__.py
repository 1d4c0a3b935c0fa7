"""How the data stages reach files, by path or by URL: find, read, write whole, remove."""
