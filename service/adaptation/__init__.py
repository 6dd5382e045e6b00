"""How a room gets a head of its own: samples, jobs, the gate, versions. The worker serves what came out."""
