"""Reading a site's configuration so that every mistake is told at once, with its key and where it stands."""
