"""Models by name for whoever brings tensors: those of shelves, and rooms' heads (Open Inference Protocol)."""
