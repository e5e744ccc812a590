"""The public names: what `import muniment as mu` offers is what the docstring and `__all__` say."""

import pytest

import muniment as mu


@pytest.mark.parametrize("name", mu.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(mu, name).__doc__


def test_lazy_names_are_the_things_themselves() -> None:
    from muniment.workspace.office import Workspace, open_workspace

    assert mu.Workspace is Workspace
    assert mu.open is open_workspace


def test_every_lazy_name_is_public() -> None:
    assert set(mu._LAZY) <= set(mu.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'profile'"):
        mu.profile  # noqa: B018
