"""Drawings: figures of matplotlib, and lines by Pillow."""
