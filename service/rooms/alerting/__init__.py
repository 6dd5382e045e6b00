"""Alerts: the rules people write, and the book that judges by them and remembers what is open."""
