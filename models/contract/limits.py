"""What is asked of a model's file before anybody reads it; needs no onnx."""

import re

LARGEST_BYTES = 16 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Of a card: it becomes a folder and a part of URLs."""
