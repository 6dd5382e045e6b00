"""Labelled recordings on disk: captures in the card's own format, and what is known of them."""
