"""Frames in, predictions out, and how models come to be."""
