"""The inbox's server, as its page asks it: signing in, whose is what, sending once, and what each refusal says."""
