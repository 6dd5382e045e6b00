"""The accuracy page: every figure of docs/accuracy.md from one list of questions (``make figures``)."""
