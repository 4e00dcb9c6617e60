"""Tests of deploy.sh: the real gcloud against a local stand-in for Google's APIs."""
