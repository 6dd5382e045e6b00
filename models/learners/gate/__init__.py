"""Metal at a gate by two clusters, of somebody who stands still (METHODS #13, after Wi-Metal)."""

from models.learners.gate.learner import MetalGate

__all__ = ["MetalGate"]
