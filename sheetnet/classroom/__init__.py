"""For a class: exercises with blank cells, and the grading of what is handed in."""
