"""Steps: the guide, one class each."""
