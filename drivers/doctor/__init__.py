"""What is wrong with a card, its host or its frames, by checks with stable ids, and what to do about it."""
