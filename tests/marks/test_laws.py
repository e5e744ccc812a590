import numpy as np
import pytest

from muniment.errors import InputError
from muniment.marks.laws import arcsine, constant, discrete, half, law_for, law_named

LAWS = [half(), arcsine(0.03), arcsine(0.001), discrete(10), constant(0.02)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_threshold_is_a_probability_strictly_between_0_and_1(law) -> None:
    assert all(0 < threshold < 2**32 for threshold in law.table)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_law_is_found_again_by_the_name_in_the_ledger(law) -> None:
    assert law_named(law.name) == law


@pytest.mark.parametrize("law", [arcsine(0.03), discrete(10)], ids=lambda law: law.name)
def test_symmetric_laws_favour_no_bit(law) -> None:
    biases = np.sort(law.biases)
    np.testing.assert_allclose(biases + biases[::-1], 1, atol=1e-8)


def test_the_cutoff_bounds_the_arcsine_law() -> None:
    assert 0.03 < min(arcsine(0.03).biases) < 0.04


def test_the_law_follows_from_the_coalition_size() -> None:
    assert law_for(1).name == "half" and law_for(10).name == "arcsine-0.025"


@pytest.mark.parametrize("size", [0, 2, 11])
def test_other_coalition_sizes_are_refused(size: int) -> None:
    with pytest.raises(InputError, match="expected 1 or 10"):
        law_for(size)


@pytest.mark.parametrize("name", ["", "half-2", "arcsine", "arcsine-x", "gauss-1", "discrete-"])
def test_an_unknown_law_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match="unknown bias law"):
        law_named(name)
