"""`python -m humanparse doctor`: what this machine can do, what is broken, what to set."""
