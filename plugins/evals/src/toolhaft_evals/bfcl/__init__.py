"""Function calling, checked against answers that list every acceptable value."""
