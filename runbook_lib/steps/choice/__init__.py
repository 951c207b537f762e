"""Which of the guide's four options fits: facts in, one recommendation out."""
