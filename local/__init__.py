"""What a developer's machine needs and a deployment does not."""
