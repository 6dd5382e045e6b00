"""The trainer: jobs in, judged versions out; a process of its own at low priority. It needs no torch."""
