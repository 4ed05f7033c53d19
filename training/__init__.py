"""How the weights of the compact parser are made, from photos to one file.

The service never imports this package; it may import the service's rooms.
"""
