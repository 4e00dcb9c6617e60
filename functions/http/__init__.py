"""How everything comes in and goes out; knows no rule and no function by name."""
