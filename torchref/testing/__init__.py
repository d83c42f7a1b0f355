"""For those who test what they wrote: the plugin of pytest, and tests made of a list of ops."""

from typing import TYPE_CHECKING

from torchref import found_in

if TYPE_CHECKING:
    from torchref.catalogue.op_case import OpCase, chance, normal
    from torchref.testing.claims import Claim, claims_of
    from torchref.testing.fixture import Crosscheck

__all__ = ["Claim", "Crosscheck", "OpCase", "chance", "claims_of", "normal"]

if not TYPE_CHECKING:  # pytest imports the plugin in every run, and this with it
    __getattr__, __dir__ = found_in(
        __name__,
        __path__,
        __all__,
        ("torchref.catalogue.op_case", "torchref.testing.claims", "torchref.testing.fixture"),
    )
