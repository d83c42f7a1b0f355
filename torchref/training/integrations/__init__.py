"""Callbacks for trainers of other packages, each in the module that has the package's name."""
