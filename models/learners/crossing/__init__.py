"""Bins of time in which somebody crosses the link, or comes in; learned from simulation alone."""

from models.learners.crossing.learner import TemporalUnetLearner

__all__ = ["TemporalUnetLearner"]
