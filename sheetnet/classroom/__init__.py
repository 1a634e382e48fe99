"""For a class: bug hunts."""
