"""Signatures and decryption against the public vectors of Project Wycheproof (testvectors_v1), where they are at hand.

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

from passbridge.protocol.cipher import AES_KEY_BYTES, DecryptionError, Wrapping, aes_decrypt, aes_encrypt, unwrap_key
from passbridge.protocol.keys import KeyProblem, private_key, public_key_for
from passbridge.protocol.signing import ALGORITHMS, ECC224, Algorithm, rsa_verify, signer, verify

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


@pytest.mark.parametrize(("name", "hash_name", "count"), [("RSA", "SHA-1", 8), ("RSA2", "SHA-256", 10), ("RSA256", "SHA-256", 10)])
def test_our_signature_is_the_vectors_own_byte_for_byte(name: str, hash_name: str, count: int) -> None:
    made = []
    for group in _document("rsa_pkcs1_2048_sig_gen")["testGroups"]:
        if group["sha"] == hash_name:
            sign = signer(private_key(group["privateKeyPem"].encode()), ALGORITHMS[name])
            made += [sign(bytes.fromhex(test["msg"])).hex() == test["sig"] for test in group["tests"]]
    assert made == [True] * count


# ECC224: the curve P-224, the signature in DER, under either hash

DER = {
    "ecdsa_secp224r1_sha224": ("SHA224", {"valid": 144, "invalid": 308}),
    "ecdsa_secp224r1_sha256": ("SHA256", {"valid": 172, "invalid": 309}),
}
P1363 = {
    "ecdsa_secp224r1_sha224_p1363": ("SHA224", {"valid": 143, "invalid": 86}),
    "ecdsa_secp224r1_sha256_p1363": ("SHA256", {"valid": 171, "invalid": 87}),
}


def _believed_on_the_curve(document: Any, algorithm: Algorithm) -> dict[int, tuple[str, bool]]:  # noqa: ANN401 - JSON
    """By test case, over every group's own key: what the vectors call it, and whether it verifies."""
    found = {}
    for group in document["testGroups"]:
        key = public_key_for(algorithm, group["publicKeyPem"].encode())
        assert public_key_for(algorithm, bytes.fromhex(group["publicKeyDer"])) == key
        for test in group["tests"]:
            believed = verify(key, algorithm, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            found[test["tcId"]] = (test["result"], believed)
    return found


@pytest.mark.parametrize(("name", "hash_name", "counts"), [(name, *row) for name, row in DER.items()], ids=list(DER))
def test_exactly_the_valid_signatures_verify_on_the_curve(name: str, hash_name: str, counts: dict[str, int]) -> None:
    found = _believed_on_the_curve(_document(name), ECC224[hash_name])
    assert Counter(result for result, _ in found.values()) == counts
    assert {case for case, (_, believed) in found.items() if believed} == {case for case, (result, _) in found.items() if result == "valid"}


@pytest.mark.parametrize(("name", "hash_name"), [("ecdsa_secp224r1_sha224", "SHA256"), ("ecdsa_secp224r1_sha256", "SHA224")])
def test_no_signature_verifies_under_the_other_hash(name: str, hash_name: str) -> None:
    believed = {case for case, (_, held) in _believed_on_the_curve(_document(name), ECC224[hash_name]).items() if held}
    assert believed == set()


@pytest.mark.parametrize(("name", "hash_name", "counts"), [(name, *row) for name, row in P1363.items()], ids=list(P1363))
def test_two_numbers_side_by_side_are_no_signature(name: str, hash_name: str, counts: dict[str, int]) -> None:
    found = _believed_on_the_curve(_document(name), ECC224[hash_name])
    assert Counter(result for result, _ in found.values()) == counts
    assert not any(believed for _, believed in found.values())


def test_a_key_on_the_curve_is_none_for_rsa() -> None:
    group = _document("ecdsa_secp224r1_sha224")["testGroups"][0]
    with pytest.raises(KeyProblem, match="not RSA"):
        public_key_for(ALGORITHMS["RSA256"], group["publicKeyPem"].encode())


# AES in CBC mode with PKCS#5 padding


def test_exactly_the_valid_ciphertexts_decrypt() -> None:
    counted: Counter[str] = Counter()
    for group in _document("aes_cbc_pkcs5")["testGroups"]:
        for test in group["tests"]:
            counted[test["result"]] += 1
            key, iv, text, ciphertext = (bytes.fromhex(test[name]) for name in ("key", "iv", "msg", "ct"))
            assert len(key) in AES_KEY_BYTES
            if test["result"] == "valid":
                assert aes_decrypt(key, ciphertext, iv) == text
                assert aes_encrypt(key, text, iv) == ciphertext
            else:
                with pytest.raises(DecryptionError):
                    aes_decrypt(key, ciphertext, iv)
    assert counted == {"valid": 72, "invalid": 144}


# Keys under RSA


def _unwrapped(name: str, wrapping: Wrapping) -> list[tuple[str, bytes, bytes | None]]:
    """For each vector: what it is called, the text, and what we make of it (None: it can't be decrypted)."""
    found = []
    for group in _document(name)["testGroups"]:
        key = private_key(group["privateKeyPem"].encode())
        for test in group["tests"]:
            try:
                text = unwrap_key(key, bytes.fromhex(test["ct"]), wrapping)
            except DecryptionError:
                text = None
            found.append((test["result"], bytes.fromhex(test["msg"]), text))
    return found


def test_keys_wrapped_by_pkcs1() -> None:
    """A wrong padding may give random bytes instead of an error, so that nobody can ask which it was; never the text."""
    found = _unwrapped("rsa_pkcs1_2048", "PKCS1")
    assert Counter(result for result, *_ in found) == {"valid": 42, "invalid": 25}
    assert all(text == wanted for result, wanted, text in found if result == "valid")
    wrong = [(wanted, text) for result, wanted, text in found if result == "invalid"]
    assert not any(text == wanted for wanted, text in wrong if wanted)
    assert sum(text is None for _, text in wrong) >= 6  # the other 19 give random bytes where OpenSSL is 3.2 or newer


@pytest.mark.parametrize(
    ("name", "wrapping", "counts"),
    [
        ("rsa_oaep_2048_sha1_mgf1sha1", "OAEP-SHA1", {"valid": 17, "invalid": 19}),
        ("rsa_oaep_2048_sha256_mgf1sha256", "OAEP-SHA256", {"valid": 18, "invalid": 19}),
    ],
)
def test_keys_wrapped_by_oaep(name: str, wrapping: Wrapping, counts: dict[str, int]) -> None:
    """A wrapped key has no label; the valid vectors that have one are counted apart, and refused."""
    found = _unwrapped(name, wrapping)
    assert Counter(result for result, *_ in found) == counts
    labels = [test["label"] for group in _document(name)["testGroups"] for test in group["tests"]]
    for (result, wanted, text), label in zip(found, labels, strict=True):
        assert text == (wanted if result == "valid" and not label else None)


@pytest.mark.parametrize("wrapping", ["OAEP-SHA1", "OAEP-SHA256"])
def test_oaep_with_two_hashes_is_no_wrapping_here(wrapping: Wrapping) -> None:
    """SHA-256 with SHA-1 in its mask, as Java does where it is not told otherwise: not offered, so all 31 are refused."""
    found = _unwrapped("rsa_oaep_2048_sha256_mgf1sha1", wrapping)
    assert Counter(result for result, *_ in found) == {"valid": 13, "invalid": 18}
    assert [text for *_, text in found if text is not None] == []
