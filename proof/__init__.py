"""What the tests and the measurements both stand on: the checkers, the meter, what can be done, what is entered."""
