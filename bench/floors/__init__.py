"""What each row is compared with: the calls that cannot be avoided, with none of our code."""
