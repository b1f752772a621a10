"""What `dojang.bootpay` offers, and what importing it costs."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import dojang.bootpay
from dojang.bootpay.binding import Endpoint
from dojang.bootpay.endpoints import Endpoints

# What must not come along with the blocking client's import: whoever needs it asks for it by name.
LAZY = ("aiohttp", "asyncio", "urllib3", "ssl", "typer", "rich", "starlette", "boto3", "psycopg")


def test_every_public_name_is_there_and_explained() -> None:
    """`__all__` is sorted, real, and every class and function in it has a docstring of its own."""
    for name in dojang.bootpay.__all__:
        value = getattr(dojang.bootpay, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
            assert (
                value.__doc__ != getattr(value.__base__, "__doc__", None) if inspect.isclass(value) else True
            ), name
    assert len(set(dojang.bootpay.__all__)) == len(dojang.bootpay.__all__)


def test_no_public_name_is_invented() -> None:
    """A wrong name is an AttributeError like anywhere else."""
    with pytest.raises(AttributeError, match="no attribute 'Bootpai'"):
        dojang.bootpay.__getattr__("Bootpai")


def test_import_is_light() -> None:
    """Importing the client brings no HTTP library, no event loop and no command line along."""
    code = f"import sys, dojang.bootpay; print([name for name in {LAZY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_the_blocking_client_brings_no_event_loop() -> None:
    """Making a blocking client costs sockets and TLS, and neither urllib3 nor aiohttp nor asyncio."""
    code = (
        "import sys, dojang.bootpay as b; b.Bootpay(client_key='a', secret_key='b');"
        "print([name for name in ('aiohttp', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_every_endpoint_is_explained() -> None:
    """`help(Bootpay)` shows each endpoint's own words."""
    names = [name for name, value in vars(Endpoints).items() if isinstance(value, Endpoint)]

    assert 29 == len(names)
    for name in names:
        assert getattr(Endpoints, name).__doc__, name


def test_bound_endpoints_show_their_parameters() -> None:
    """A bound endpoint has the signature of its function, so editors and `help` tell the truth."""
    with dojang.bootpay.Bootpay(client_key="a", secret_key="b") as client:
        parameters = list(inspect.signature(client.cancel, follow_wrapped=True).parameters)

    assert "cancel_price" in parameters
    assert "receipt_id" in parameters
