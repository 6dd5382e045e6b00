"""Methods that train with torch (the extra `train`); none takes over 60 s on two cores."""
