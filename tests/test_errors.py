import pytest

from muniment import errors
from muniment.errors import InputError, IntegrityError, LimitError, MunimentError, PassphraseError, UnreachableError

TREE = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, MunimentError)]


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_keeps_message_and_hint_and_is_caught_as_one_of_ours(error: type[MunimentError]) -> None:
    raised = error("p.csv: no rows", hint="muniment register check persons")
    assert str(raised) == raised.message == "p.csv: no rows"
    assert raised.hint.startswith("muniment")
    assert error("p.csv: no rows").hint == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError, 2), (LimitError, 2), (PassphraseError, 2), (IntegrityError, 3), (UnreachableError, 4)],
)
def test_the_exit_code_tells_who_can_mend_the_fault(error: type[MunimentError], code: int) -> None:
    assert error.exit_code == code


def test_no_exit_code_is_that_of_a_named_recipient() -> None:
    assert not {0, 1} & {error.exit_code for error in TREE}
