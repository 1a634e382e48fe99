"""Specs to start from: a toy problem, one fitted to a table, or somebody's trained model."""
