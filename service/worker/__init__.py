"""The worker: frames in, windows, predictions, states, events, alerts; durable before acknowledged."""
