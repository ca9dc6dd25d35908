"""A configuration with every secret there is, and every way to put one of them where it doesn't belong."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.faults.keys import private_pem
from tests.faults.regions import CN, HK
from tests.trust.search import Needle

__all__ = [
    "AES_KEY",
    "BARE",
    "ENCRYPT_KEY",
    "FILES",
    "HALF",
    "KEY",
    "NEEDLES",
    "PASSWORD",
    "TOKEN",
    "WRONG",
    "Config",
    "changed",
    "config",
    "encrypted",
]

TOKEN = "202611BBeff9351ad1874306903e96b91d248A36"  # noqa: S105 - made up
ENCRYPT_KEY = "b0Zc3qvJx7sW1yQkM9tHdw=="  # made up
PASSWORD = "Tr0ub4dor&3-horse%battery"  # noqa: S105 - made up
KEY = private_pem("secret of these tests")
BARE = "".join(KEY.decode().splitlines()[1:-1])
DER = base64.b64decode(BARE)
PKCS1 = load_pem_private_key(KEY, None).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
AES_KEY = hashlib.sha256(b"one request's").digest()

NEEDLES = [
    Needle("the private key", KEY),
    Needle("the private key's bytes", DER),
    Needle("the private key as PKCS #1", PKCS1),
    Needle("a request's AES key", AES_KEY),
    Needle("the token", TOKEN.encode(), whole=True),
    Needle("the encryption's key", ENCRYPT_KEY.encode(), whole=True),
    Needle("the encryption's key, its bytes", base64.b64decode(ENCRYPT_KEY), whole=True),
    Needle("the proxy's password", PASSWORD.encode(), whole=True),
]

Config = dict[str, Any]


def config(url: str = "http://127.0.0.1:9") -> Config:
    """Two accounts with every secret there is."""
    return {
        "default": "hk",
        "accounts": {
            "hk": {**HK.account(url), "private_key": KEY},
            "cn": {**CN.account(url), "private_key": KEY, "app_auth_token": TOKEN.encode(), "encrypt_key": ENCRYPT_KEY.encode()},
        },
        "retry": {"attempts": 1, "deadline": 2.0},
        "http": {"proxy": f"http://somebody:{PASSWORD}@127.0.0.1:9"},
    }


def changed(account: str, member: str, value: object) -> Config:
    given = config()
    given["accounts"][account][member] = value
    return given


def encrypted(**members: object) -> Config:
    """The AlipayHK account encrypts, by these members."""
    given = config()
    given["accounts"]["hk"] |= {"encryption": {}, **members}
    return given


def _http(value: object) -> Config:
    return config() | {"http": value}


HALF = KEY[: len(KEY) // 2]
ENCODED = {"latin-1 rubbish": KEY.replace(b"A", b"\xff", 3), "half of it": HALF, "its lines reversed": b"\n".join(KEY.splitlines()[::-1])}

WRONG: dict[str, Config] = {
    **{f"a private key, {name}": changed("hk", "private_key", value) for name, value in ENCODED.items()},
    "a private key as text": changed("hk", "private_key", KEY.decode()),
    "a private key as bare base64 text": changed("hk", "private_key", BARE),
    "a private key as half of its base64": changed("cn", "private_key", BARE[:200]),
    "a private key as a number": changed("cn", "private_key", int.from_bytes(DER[:60])),
    "a private key in a list": changed("cn", "private_key", [KEY]),
    "a private key in a table": changed("hk", "private_key", {"pem": KEY}),
    "a private key in a table as text": changed("hk", "private_key", {"env": "NOT_SET", "pem": BARE}),
    "a private key where a variable's name is wanted": changed("hk", "private_key", {"env": BARE}),
    "a private key as the gateway's key": changed("hk", "gateway_public_key", KEY),
    "a private key as the gateway's key, as text": changed("cn", "gateway_public_key", BARE),
    "a private key among the gateway's keys": changed("hk", "gateway_public_keys", {"1": KEY}),
    "a private key as client id": changed("hk", "client_id", BARE),
    "a private key as key version": changed("hk", "key_version", BARE),
    "a private key as profile": changed("hk", "profile", BARE),
    "a private key as algorithm": changed("hk", "algorithm", KEY.decode()),
    "a private key as backend": changed("hk", "backend", BARE),
    "a private key as address": changed("hk", "gateway", BARE),
    "a private key as merchant": changed("hk", "merchant_id", BARE),
    "a private key as charset": changed("cn", "charset", BARE),
    "a private key as the account it extends": changed("cn", "extends", BARE),
    "a private key under a mistyped name": changed("hk", "privat_key", KEY),
    "a private key among the retries": config() | {"retry": {"attempts": BARE}},
    "a private key as default": config() | {"default": BARE},
    "a private key as folder of secrets": config() | {"secrets_dir": [KEY]},
    "a private key as accounts": config() | {"accounts": KEY},
    "a private key as an account": config() | {"accounts": {"hk": KEY}},
    "a private key as a table": config() | {"mappings": KEY},
    **{f"a private key for encryption, {name}": encrypted(encryption_private_key=value) for name, value in ENCODED.items()},
    "a private key for an encryption that is off": changed("hk", "encryption_private_key", KEY),
    "a private key for encryption as text": encrypted(encryption_private_key=KEY.decode()),
    "a private key as the key requests are encrypted for": encrypted(encryption_public_key=KEY),
    "a private key as encryption": encrypted(encryption=BARE),
    "a private key inside encryption": encrypted(encryption={"private_key": KEY}),
    "a private key as a wrapping": encrypted(encryption={"wrap": BARE}),
    "a private key as a content type": encrypted(encryption={"content_type": BARE}),
    "a private key as the version of another": encrypted(encryption={"key_version": BARE}),
    "a private key for another algorithm": changed("hk", "algorithm", "ECC224"),
    "a private key as a hash": changed("hk", "ecc_hash", BARE),
    "a token as text": changed("cn", "app_auth_token", TOKEN),
    "a token of two words": changed("cn", "app_auth_token", f"{TOKEN} {TOKEN}".encode()),
    "a token beyond ASCII": changed("cn", "app_auth_token", f"{TOKEN}é".encode()),
    "a token as a number": changed("cn", "app_auth_token", 7),
    "a token at the wrong gateway": changed("hk", "app_auth_token", TOKEN.encode()),
    "an encryption's key as text": changed("cn", "encrypt_key", ENCRYPT_KEY),
    "an encryption's key, cut": changed("cn", "encrypt_key", ENCRYPT_KEY[:-3].encode()),
    "an encryption's key, twice": changed("cn", "encrypt_key", (ENCRYPT_KEY[:-2] + ENCRYPT_KEY).encode()),
    "an encryption's key, its bytes": changed("cn", "encrypt_key", base64.b64decode(ENCRYPT_KEY)),
    "an encryption's key as its type": changed("cn", "encrypt_type", ENCRYPT_KEY),
    "an encryption's key as a certificate": changed("cn", "app_cert", ENCRYPT_KEY.encode()),
    "a private key as a certificate": changed("cn", "gateway_cert", KEY),
    "a private key as roots": changed("cn", "root_cert", KEY),
    "a private key as the encryption's": changed("cn", "encrypt_key", KEY),
    "an encryption's key at the wrong gateway": changed("hk", "encrypt_key", ENCRYPT_KEY.encode()),
    "a proxy of another kind": _http({"proxy": f"https://somebody:{PASSWORD}@proxy:3128"}),
    "a proxy in a list": _http({"proxy": [f"http://somebody:{PASSWORD}@proxy:3128"]}),
    "a proxy without a scheme": _http({"proxy": f"somebody:{PASSWORD}@proxy:3128"}),
    "a proxy under a mistyped name": _http({"prox": f"http://somebody:{PASSWORD}@proxy:3128"}),
    "a proxy as a table": _http(f"http://somebody:{PASSWORD}@proxy:3128"),
    "a proxy as certificates": _http({"ca_file": 7, "proxy": f"http://somebody:{PASSWORD}@proxy:3128"}),
    "another account that is wrong": changed("cn", "app_id", "&"),
    "other certificates that aren't there": _http({"ca_file": "/nowhere.pem", "proxy": f"http://somebody:{PASSWORD}@proxy:3128"}),
}

FILES = {
    "a key in the file itself": f'private_key = """{KEY.decode()}"""',
    "bare base64 in the file itself": f'private_key = "{BARE}"',
    "a key in broken TOML": f'private_key = "{BARE}',
    "a key twice": f'private_key = "{BARE}"\nprivate_key = "{BARE}"',
    "a key without quotes": f"private_key = {BARE}",
    "a file that is no key": 'private_key = "half.pem"',
    "a folder": 'private_key = "."',
    "a token itself": f'app_auth_token = "{TOKEN}"',
    "an encryption's key itself": f'encrypt_key = "{ENCRYPT_KEY}"',
}
