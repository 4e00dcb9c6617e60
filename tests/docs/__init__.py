"""Tests of what the documentation says: what it names is there, and what it promises a person is so."""
