"""Shapes of bodies: what callers send (strict), and what they get (for the OpenAPI document)."""
