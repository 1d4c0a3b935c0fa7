"""File access of the data stages, by path or URL: find, read, write atomically, remove."""
