"""Bytes of a network card in, frames out: parsing, transport and publishing of CSI.

Needs numpy, pyzmq and msgspec only, so that it also runs on the old hosts that hold the cards.
"""
