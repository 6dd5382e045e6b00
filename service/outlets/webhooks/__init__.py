"""Webhooks: signed CloudEvents by HTTPS POST, each webhook an outlet with a cursor of its own."""
