"""Rooms: their settings, and the state machines that turn predictions into truth, events and alerts."""
