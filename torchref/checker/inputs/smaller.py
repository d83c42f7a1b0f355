"""A large case at small sizes, where more can be tried in less time."""

from torchref.checker.execution.run import RefusedError, Scene, play
from torchref.checker.inputs import shrunk
from torchref.errors import InputError


def smaller_scene(scene: Scene, elements: int) -> Scene:
    """The scene itself, or where it has more elements a smaller one that both sides accept.

    A module's parameters are its own, and stay as large as they are.
    """
    if scene.case.elements <= elements or scene.candidate.state:
        return scene
    try:
        small = play(scene.candidate, scene.reference, shrunk(scene.case), scene.seed)
    except (RefusedError, InputError):
        return scene
    return small if small.cotangents and small.makes_sense else scene
