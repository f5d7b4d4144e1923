"""The feature catalogue by batch: what itch_features.py compares the engine with."""
