"""The plugin of pytest: the fixture `crosscheck`, `--torchref-report` and `--torchref-audit`.

pytest imports this module in every run: nothing here imports torch before it is used.
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from torchref.testing.session import TorchrefSession

if TYPE_CHECKING:
    from torchref.testing.fixture import Crosscheck

NAMES = {"torchref", __name__}  # of the entry point, and of `-p` and `pytest_plugins`
SESSION = pytest.StashKey[TorchrefSession]()


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Take the other name out: pytest refuses a module that comes under two."""
    if plugin is sys.modules[__name__]:
        for other in NAMES - {manager.get_name(plugin)}:
            manager.set_blocked(other)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("torchref", "gradients, cross-checked")
    group.addoption(
        "--torchref-report",
        metavar="FILE",
        help="write what the fixture crosscheck found in all tests, as JSON",
    )
    group.addoption(
        "--torchref-audit",
        action="store_true",
        help="cross-check each autograd Function that the tests apply, after the last of them",
    )
    parser.addini(
        "torchref_audit_expect",
        "NAME = REASON, a line each: Functions that are meant not to match their forward",
        type="linelist",
    )


@pytest.hookimpl(trylast=True)  # after the plugin that starts workers
def pytest_configure(config: pytest.Config) -> None:
    session = TorchrefSession(config)
    config.stash[SESSION] = session
    config.pluginmanager.register(session, "torchref-session")


@pytest.fixture
def crosscheck(request: pytest.FixtureRequest) -> "Iterator[Crosscheck]":
    """`torchref.crosscheck` for this test: it fails the test unless the verdict is "right".

    The seed follows from the test's name, and torch's generators are seeded with it meanwhile:
    each run draws the same inputs. `crosscheck.report(...)` returns the report in any case.
    """
    from torchref.testing.fixture import Crosscheck, random_numbers_of, seed_of

    name = request.node.nodeid
    with random_numbers_of(seed_of(name)):
        yield Crosscheck(name, request.config.stash[SESSION])
