from __future__ import annotations

from contextlib import closing

from passbridge.bulk.ledger import Ledger
from passbridge.bulk.schema import ITEMS

AWKWARD = ("", "NULL", "null", '"', "\\", '\\"', "{a,b}", "a,b", " a ", "\n\t\r", "登機口 🎫", '{"a":"\\u0000\\\\"}', "'", "%s", "?")
"""What an array's text gives a meaning of its own, and what it doesn't."""


def test_texts_come_back_from_the_server_as_they_went(server: str) -> None:
    with closing(Ledger(server, create=True)) as ledger:
        ledger.db.put(ITEMS, [(number, 0, None, 0, None, 0, text) for number, text in enumerate(AWKWARD)])
        assert tuple(text for (text,) in ledger.db.rows("SELECT text FROM item ORDER BY id")) == AWKWARD
