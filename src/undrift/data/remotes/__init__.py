"""Versions at remotes: pushed so that a kill leaves the remote valid, pulled so that nothing wrong comes in."""
