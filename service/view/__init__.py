"""What is told to others: states with their overlays, parts heard of, events as CloudEvents."""
