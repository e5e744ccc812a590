"""Mail addresses of decoys carry the decoy's own name and year, and are nobody's."""

import re

from language.decoy_registers import demo_decoys, demo_table


def derived(table):
    """Of the rows with a romanised name and a mail address: does the address hold a part of the name, and the year?"""
    named = years = held = dated = 0
    for name, mail, born in zip(table["name_en"], table["email"], table["birth_date"], strict=True):
        if name and mail:
            local = mail.split("@")[0]
            named += 1
            held += any(word.replace("-", "").lower() in local for word in name.split())
            if found := re.search(r"[a-z]((?:19|20)\d\d)\.", local):
                years += 1
                dated += born is None or found[1] in born or not born[:4].isdigit()
    return held / named, dated / max(1, years)


def test_addresses_are_made_of_the_name_as_often_as_in_the_register():
    real, decoy = derived(demo_table()), derived(demo_decoys())
    assert abs(real[0] - decoy[0]) < 0.08
    assert decoy[1] > 0.9


def test_no_address_is_that_of_a_record():
    assert not set(filter(None, demo_table()["email"])) & set(filter(None, demo_decoys()["email"]))


def test_domains_are_those_of_the_register():
    domains = {cell.partition("@")[2] for cell in demo_table()["email"] if cell}
    assert {cell.partition("@")[2] for cell in demo_decoys()["email"] if cell} == domains
