"""The one idea: a step is a value; a run is a function of it."""
