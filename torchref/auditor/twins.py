"""What a Function may equal, to judge by its name: only suggested, and never used by itself."""

import re
from collections.abc import Collection

import torch

ALIASES = {
    "swish": "silu",
    "logistic": "sigmoid",
    "crossentropy": "cross_entropy",
    "layernorm": "layer_norm",
}
MODULES = ("torch.nn.functional", "torch", "torch.special", "torch.linalg")
AFFIXES = re.compile(r"function|implementation|autograd|custom|triton|fused|jit|fn$|op$|^my|impl$")


def suggestions(names: Collection[str]) -> list[str]:
    """For each name that torch has a function of, how to give it as the reference.

    >>> suggestions(["models.SwishFunction", "Rattle"])
    ['models.SwishFunction may equal torch.nn.functional.silu: --reference \
models.SwishFunction=torch.nn.functional:silu']
    """
    told = []
    for name in names:
        address = _address(name)
        if address is not None:
            told.append(
                f"{name} may equal {address.replace(':', '.')}: --reference {name}={address}"
            )
    return told


def _address(name: str) -> str | None:
    plain = _plain(re.split(r"[.:]", name)[-1])
    plain = _plain(ALIASES.get(plain, plain))
    for where in MODULES:
        module = torch
        for part in where.split(".")[1:]:
            module = getattr(module, part)
        functions = {
            _plain(each): each
            for each in dir(module)
            if each[0] != "_" and each[-1] != "_" and each.islower()
        }
        if plain in functions and callable(getattr(module, functions[plain])):
            return f"{where}:{functions[plain]}"
    return None


def _plain(name: str) -> str:
    """A name without what only says that it is a Function."""
    return AFFIXES.sub("", name.replace("_", "").lower())
