"""Learners of places from fingerprints: of links, of antennas of a moved device, and in metres."""
