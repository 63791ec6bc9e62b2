"""Lessons of module 8."""
