"""For a class: exercises with blank cells and their grading, and bug hunts."""
