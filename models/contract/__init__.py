"""Whether a foreign model keeps docs/onnx-contract.md; it is run in a process of its own, limited."""
