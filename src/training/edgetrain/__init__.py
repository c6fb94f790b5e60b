"""Trains the two stages of an EdgeInspector model package: a part detector and a defect classifier."""
