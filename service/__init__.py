"""The running system: bus, worker, rooms, store, API, command line."""
