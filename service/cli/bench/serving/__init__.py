"""What `bench api` is made of: servers that are measured, clients that load them, and figures."""
