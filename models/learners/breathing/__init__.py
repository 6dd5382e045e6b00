"""How fast somebody breathes, from 30 s; learned from simulation alone."""

from models.learners.breathing.learner import CnnRnnLearner

__all__ = ["CnnRnnLearner"]
