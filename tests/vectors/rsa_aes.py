"""RSA_AES by the OpenSSL command line: what AlipayHK's side would do with an encrypted body.

Its own reading of the documents, by the standard library and OpenSSL alone; it must never import passbridge.

    python rsa_aes.py open PRIVATE.pem WRAP         {"encrypt", "body"} on stdin -> the text
    python rsa_aes.py seal PUBLIC.pem WRAP KEY      the text on stdin -> {"encrypt", "body"}; KEY in hex
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, unquote

PADDINGS = {
    "PKCS1": ["rsa_padding_mode:pkcs1"],
    "OAEP-SHA1": ["rsa_padding_mode:oaep", "rsa_oaep_md:sha1", "rsa_mgf1_md:sha1"],
    "OAEP-SHA256": ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"],
}


def openssl(*arguments: str, data: bytes) -> bytes:
    """What OpenSSL writes."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout  # noqa: S603, S607 - our own words


def wrapped(key: bytes, public: Path, wrap: str) -> bytes:
    """An AES key under an RSA key."""
    options = [part for padding in PADDINGS[wrap] for part in ("-pkeyopt", padding)]
    return openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", str(public), *options, data=key)


def unwrapped(data: bytes, private: Path, wrap: str) -> bytes:
    """The AES key under an RSA key."""
    options = [part for padding in PADDINGS[wrap] for part in ("-pkeyopt", padding)]
    return openssl("pkeyutl", "-decrypt", "-inkey", str(private), *options, data=data)


def ecb(key: bytes, data: bytes, *options: str) -> bytes:
    """AES in ECB mode, PKCS#5 padding unless an option says otherwise; `-d` decrypts."""
    return openssl("enc", f"-aes-{len(key) * 8}-ecb", "-K", key.hex(), *options, data=data)


def encrypt_field(wrapped_key: bytes, version: str = "1") -> str:
    """The `Encrypt` field."""
    return f"algorithm=RSA_AES,keyVersion={version},symmetricKey=" + quote(base64.b64encode(wrapped_key).decode(), safe="")


def seal(text: bytes, public: Path, wrap: str, key: bytes) -> tuple[str, bytes]:
    """The `Encrypt` field and the body for a text."""
    return encrypt_field(wrapped(key, public, wrap)), base64.b64encode(ecb(key, text))


def unseal(field: str, body: bytes, private: Path, wrap: str) -> bytes:
    """The text inside an encrypted body."""
    parts = dict(part.split("=", 1) for part in field.split(","))
    if parts["algorithm"] != "RSA_AES":
        raise ValueError(parts["algorithm"])
    key = unwrapped(base64.b64decode(unquote(parts["symmetricKey"]), validate=True), private, wrap)
    if len(key) != 32:
        raise ValueError(len(key))
    return ecb(key, base64.b64decode(body, validate=True), "-d")


def main(task: str, pem: str, wrap: str, *key: str) -> None:
    """One body there or back."""
    given = sys.stdin.buffer.read()
    if task == "open":
        envelope = json.loads(given)
        sys.stdout.buffer.write(unseal(envelope["encrypt"], envelope["body"].encode(), Path(pem), wrap))
    else:
        field, body = seal(given, Path(pem), wrap, bytes.fromhex(key[0]))
        json.dump({"encrypt": field, "body": body.decode()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
