"""Outlets: thin readers of the one event log that carry it into other systems, each with its own cursor."""
