"""The published contract: every route of DESIGN A3 and A4, and rules that hold for all routes."""
