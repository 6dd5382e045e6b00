"""The shallow pipeline: clean the training rows, reduce, classify or regress (METHODS 3A; #1, #4)."""

from models.learners.shallow.learner import ShallowLearner

__all__ = ["ShallowLearner"]
