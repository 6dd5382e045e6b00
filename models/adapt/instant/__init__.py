"""Methods that need numpy alone and end within a second."""
