"""Cross validation: candidates, folds, trainings side by side, and their ranking."""
