"""RSA verification against the public vectors of Project Wycheproof (testvectors_v1), where they are at hand.

They are no part of the project: their folder is named by `PASSBRIDGE_VECTORS`, or stands beside the checkout. What a
vector calls acceptable leaves out the NULL of the hash's parameters in the signature; RFC 8017 allows a verifier to
refuse that, and here it is refused: one encoding of a signature, and no other.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from passbridge.protocol.signing import ALGORITHMS, Algorithm, rsa_verify

BESIDE = Path(__file__).parents[3] / "shared/vectors/wycheproof"
PLACES = [Path(os.environ["PASSBRIDGE_VECTORS"])] if "PASSBRIDGE_VECTORS" in os.environ else [BESIDE]

COUNTS = {
    "rsa_signature_2048_sha256": {"valid": 9, "invalid": 249, "acceptable": 1},
    "rsa_signature_3072_sha256": {"valid": 8, "invalid": 250, "acceptable": 1},
    "rsa_signature_4096_sha256": {"valid": 7, "invalid": 250, "acceptable": 1},
}


def _document(name: str) -> Any:  # noqa: ANN401 - JSON
    for place in PLACES:
        file = place / f"{name}_test.json"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
    where = " or ".join(str(place / f"{name}_test.json") for place in PLACES)
    pytest.skip(f"no vectors of Project Wycheproof at {where}; name their folder by PASSBRIDGE_VECTORS")


def _believed(document: Any, algorithm: Algorithm) -> dict[int, tuple[str, bool]]:  # noqa: ANN401 - JSON
    """By test case: what the vectors call it, and whether it verifies."""
    found = {}
    for group in document["testGroups"]:
        key = load_pem_public_key(group["publicKeyPem"].encode())
        assert isinstance(key, RSAPublicKey)
        for test in group["tests"]:
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            found[test["tcId"]] = (test["result"], rsa_verify(key, algorithm, message, signature))
    return found


@pytest.mark.parametrize("algorithm", ["RSA256", "RSA2"])
@pytest.mark.parametrize("name", COUNTS)
def test_exactly_the_valid_signatures_verify(name: str, algorithm: str) -> None:
    found = _believed(_document(name), ALGORITHMS[algorithm])
    assert Counter(result for result, _ in found.values()) == COUNTS[name]
    assert {case for case, (_, believed) in found.items() if believed} == {case for case, (result, _) in found.items() if result == "valid"}


@pytest.mark.parametrize("name", COUNTS)
def test_what_is_called_acceptable_is_a_signature_without_the_null_alone(name: str) -> None:
    flags = [test["flags"] for group in _document(name)["testGroups"] for test in group["tests"] if test["result"] == "acceptable"]
    assert flags == [["MissingNull"]]


def test_signatures_over_another_hash_do_not_verify_as_the_legacy_type() -> None:
    document = _document("rsa_signature_2048_sha256")
    comments = {test["tcId"]: test["comment"] for group in document["testGroups"] for test in group["tests"]}
    believed = [comments[case] for case, (_, held) in _believed(document, ALGORITHMS["RSA"]).items() if held]
    assert believed == ["The message is hashed with SHA-1 instead of SHA-256."]


def test_signatures_by_the_legacy_type_verify_where_its_hash_was_used() -> None:
    held = total = 0
    for group in _document("rsa_pkcs1_2048_sig_gen")["testGroups"]:
        if group["sha"] != "SHA-1":
            continue
        key = load_pem_public_key(group["keyPem"].encode())
        assert isinstance(key, RSAPublicKey)
        for test in group["tests"]:
            total += 1
            held += rsa_verify(key, ALGORITHMS["RSA"], bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            assert not rsa_verify(key, ALGORITHMS["RSA2"], bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
    assert held == total == 8
