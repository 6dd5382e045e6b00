"""Rooms in the vocabularies of building systems: Brick, Project Haystack, W3C Web of Things. Pure."""
