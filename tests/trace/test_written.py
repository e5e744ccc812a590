"""Members of a bundle are parsed strictly or refused."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from muniment.errors import IntegrityError
from muniment.trace import written
from muniment.trace.score import MIXTURES

MIXTURE = TypeAdapter(written.Mixture)
CODEWORD = TypeAdapter(written.Codeword)


def _mixture(**changed: object) -> written.Mixture:
    value = {"coalitions": [[1, 0.5], [2, 0.5]], "noises": [[0.1, 1.0]], "shared_noise": 0.5, "rowwise": 0.0, **changed}
    import json

    return MIXTURE.validate_json(json.dumps(value))


@pytest.mark.parametrize("coalition", list(MIXTURES))
def test_a_mixture_comes_back_as_it_was(coalition: int) -> None:
    import json

    value = MIXTURES[coalition].to_json()
    assert MIXTURE.validate_json(json.dumps(value)).checked() == MIXTURES[coalition]


@pytest.mark.parametrize(
    "changed",
    [
        {"coalitions": [[1, 0.5], [2, 0.6]]},
        {"coalitions": [[1, 1.0], [2, 0.0]]},
        {"noises": [[0.1, 0.9]]},
        {"noises": []},
    ],
)
def test_weights_that_make_no_e_value(changed: dict[str, object]) -> None:
    with pytest.raises((IntegrityError, ValidationError)):
        _mixture(**changed).checked()


@pytest.mark.parametrize(
    "changed",
    [
        {"coalitions": [[0, 1.0]]},
        {"noises": [[1.5, 1.0]]},
        {"shared_noise": float("nan")},
        {"rowwise": -0.1},
        {"rowwise": "0.5"},
        {"more": 1},
        {"coalitions": [[n + 1, 0.001] for n in range(1_000)]},
    ],
)
def test_values_out_of_range_or_of_another_type(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _mixture(**changed)


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 1, "bits": "0g", "scored": null}',
        '{"number": 1, "bits": "abc", "scored": null}',
        '{"number": -1, "bits": "", "scored": null}',
        '{"number": 1.0, "bits": "", "scored": null}',
        '{"number": 1, "bits": ""}',
    ],
)
def test_codewords(text: str) -> None:
    with pytest.raises(ValidationError):
        CODEWORD.validate_json(text)
    assert CODEWORD.validate_json('{"number": 1, "bits": "0f", "scored": null}').bits == "0f"
