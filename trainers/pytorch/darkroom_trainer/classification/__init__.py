"""Classification: a label for each picture."""
