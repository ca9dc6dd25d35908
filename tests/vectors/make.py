"""Makes the golden requests: `python make.py [FOLDER]` writes hk.json, hk-schemes.json and mainland.json (beside this file).

`python make.py --drawn` writes hk-drawn.json, which is another each time: signatures and wrapped keys that hold a draw.

Its own reading of the gateways' documents, by the standard library and the OpenSSL command line alone. It must never
import passbridge: what judges a form may not share it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

HERE = Path(__file__).resolve().parent


def signed(key: str, digest: str, text: bytes) -> str:
    """OpenSSL's signature (RSASSA-PKCS1-v1_5), in base64."""
    command = ["openssl", "dgst", f"-{digest}", "-sign", str(HERE / "keys" / f"{key}.pem")]
    done = subprocess.run(command, input=text, capture_output=True, check=True)  # noqa: S603 - our own words
    return base64.b64encode(done.stdout).decode("ascii")


def hk(cases: dict[str, Any]) -> dict[str, Any]:
    """AlipayHK: the signature stands in a header field, over method, path, client id, time and body."""
    return {
        "gateway": cases["gateway"],
        "client_id": cases["client_id"],
        "now": cases["now"],
        "vectors": [_hk(cases, case) for case in cases["case"]],
    }


def _hk(cases: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    text = "POST " + cases["path"] + "\n" + cases["client_id"] + "." + cases["request_time"] + "." + case["body"]
    signature = signed(cases["key"], "sha256", text.encode("utf-8"))
    return {
        "name": case["name"],
        "profile": case["profile"],
        "merchant_id": case["merchant_id"],
        "update": json.loads(case["update"]),
        "url": cases["gateway"] + cases["path"],
        "headers": {
            "Content-Type": "application/json; charset=UTF-8",
            "Client-Id": cases["client_id"],
            "Request-Time": cases["request_time"],
            "Signature": "algorithm=RSA256,keyVersion=" + cases["key_version"] + ",signature=" + quote_plus(signature),
        },
        "body": case["body"],
        "string_to_sign": text,
        "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "signature": signature,
    }


def openssl(*arguments: str, data: bytes) -> bytes:
    """What OpenSSL writes."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout  # noqa: S603, S607 - our own words


def serial(certificate: str) -> str:
    """The gateway's name for one certificate: MD5 over its issuer as OpenSSL writes it (RFC 2253), and its number in decimal."""
    shown = openssl("x509", "-noout", "-issuer", "-serial", "-nameopt", "RFC2253,-esc_msb", data=certificate.encode())
    issuer, number = (line.partition("=")[2] for line in shown.decode().splitlines())
    return hashlib.md5(f"{issuer}{int(number, 16)}".encode(), usedforsecurity=False).hexdigest()


def certificates(name: str) -> list[str]:
    """The certificates of a golden file."""
    text = (HERE / "certificates" / f"{name}.pem").read_text(encoding="ascii").replace("\r\n", "\n")
    return [f"-----BEGIN{part}" for part in text.split("-----BEGIN")[1:]]


def encrypted(kind: str, key: str, text: bytes) -> str:
    """OpenSSL's AES/CBC with PKCS#7 padding, in base64; AES_V2 has its IV, here a MAC of the text, before it."""
    raw = base64.b64decode(key)
    iv = hmac.digest(raw, b"passbridge AES_V2 IV" + text, "sha256")[:16] if kind == "AES_V2" else bytes(16)
    ciphertext = openssl("enc", "-aes-128-cbc", "-K", raw.hex(), "-iv", iv.hex(), data=text)
    return base64.b64encode((iv if kind == "AES_V2" else b"") + ciphertext).decode("ascii")


def hk_schemes(cases: dict[str, Any]) -> dict[str, Any]:
    """AlipayHK's other schemes, as far as they hold no draw: RSA_AES under a given key, and the hashes that ECC224 signs."""
    key = hashlib.sha256(b"a key for these vectors").digest()
    head = "POST " + cases["path"] + "\n" + cases["client_id"] + "." + cases["request_time"] + "."
    vectors = []
    for case in cases["case"]:
        ciphertext = base64.b64encode(openssl("enc", "-aes-256-ecb", "-K", key.hex(), data=case["body"].encode("utf-8"))).decode("ascii")
        plain = (head + case["body"]).encode("utf-8")
        vectors.append(
            {
                "name": case["name"],
                "profile": case["profile"],
                "merchant_id": case["merchant_id"],
                "update": json.loads(case["update"]),
                "rsa_aes": {"body": ciphertext, "signature": signed(cases["key"], "sha256", (head + ciphertext).encode("ascii"))},
                "ecc224": {name: hashlib.new(name, plain).hexdigest() for name in ("sha224", "sha256")},
            }
        )
    return {"now": cases["now"], "client_id": cases["client_id"], "gateway": cases["gateway"], "aes_key": key.hex(), "vectors": vectors}


ANSWER = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'
PADDINGS = {
    "PKCS1": ("rsa_padding_mode:pkcs1",),
    "OAEP-SHA1": ("rsa_padding_mode:oaep", "rsa_oaep_md:sha1", "rsa_mgf1_md:sha1"),
    "OAEP-SHA256": ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"),
}


def hk_drawn(cases: dict[str, Any]) -> dict[str, Any]:
    """AlipayHK's answers under its other schemes: one signed on the curve, and one encrypted for the merchant in each way."""
    head = ("POST " + cases["path"] + "\n" + cases["client_id"] + "." + cases["request_time"] + ".").encode("ascii")
    curve = {}
    for digest in ("sha224", "sha256"):
        curve[digest] = signed("hk-gateway-ecc", digest, head + ANSWER)
    key = hashlib.sha256(b"a key for these answers").digest()
    body = base64.b64encode(openssl("enc", "-aes-256-ecb", "-K", key.hex(), data=ANSWER))
    encrypted = {}
    for name, paddings in PADDINGS.items():
        options = [part for padding in paddings for part in ("-pkeyopt", padding)]
        public = str(HERE / "keys" / (cases["key"] + "-public.pem"))
        wrapped = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public, *options, data=key)
        encrypted[name] = "algorithm=RSA_AES,keyVersion=1,symmetricKey=" + quote_plus(base64.b64encode(wrapped))
    return {
        "response_time": cases["request_time"],
        "body": ANSWER.decode("ascii"),
        "ecc224": curve,
        "rsa_aes": {"body": body.decode("ascii"), "signature": signed("hk-gateway", "sha256", head + body), "encrypt": encrypted},
    }


def mainland(cases: dict[str, Any]) -> dict[str, Any]:
    """The mainland: public parameters in the query, the rest in the body, signed together in the request's charset."""
    account = {name: cases[name] for name in ("gateway", "app_id", "channel_id", "now", "encrypt_key")}
    return {**account, "vectors": [_mainland(cases, case) for case in cases["case"]]}


def _mainland(cases: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    charset, sign_type = case.get("charset", "utf-8"), case.get("sign_type", "RSA2")
    query = {
        "app_id": cases["app_id"],
        "method": "alipay.pass.instance.update",
        "format": "JSON",
        "charset": charset,
        "sign_type": sign_type,
        "timestamp": cases["timestamp"],
        "version": "1.0",
    }
    sent = case["biz_content"]
    if "encrypt_type" in case:
        query["encrypt_type"] = case["encrypt_type"]
        sent = encrypted(case["encrypt_type"], cases["encrypt_key"], sent.encode(charset))
    if case.get("certificates"):
        query["app_cert_sn"] = serial(certificates("app")[0])
        query["alipay_root_cert_sn"] = "_".join(serial(one) for one in certificates("root")[1:])  # the first is not signed with RSA
    body = ({"app_auth_token": case["token"]} if "token" in case else {}) | {"biz_content": sent}
    text = "&".join(name + "=" + value for name, value in sorted({**query, **body}.items()))
    digest = {"RSA2": "sha256", "RSA": "sha1"}[sign_type]
    query["sign"] = signed(cases["key"], digest, text.encode(charset))
    return {
        "name": case["name"],
        "charset": charset,
        "sign_type": sign_type,
        "token": case.get("token"),
        "gbk_check": case.get("gbk_check", True),
        "certificates": case.get("certificates", False),
        "encrypt_type": case.get("encrypt_type"),
        "update": json.loads(case["update"]),
        "url": cases["gateway"] + "?" + urlencode(query, encoding=charset),
        "headers": {"Content-Type": "application/x-www-form-urlencoded;charset=" + charset},
        "body": urlencode(body, encoding=charset),
        "string_to_sign": text,
        "sha256": hashlib.sha256(text.encode(charset)).hexdigest(),
        "signature": query["sign"],
    }


MADE = {"hk": ("hk", hk), "hk-schemes": ("hk", hk_schemes), "mainland": ("mainland", mainland)}
DRAWN = {"hk-drawn": ("hk", hk_drawn)}


def main(folder: Path, files: dict[str, Any]) -> None:
    """Write these files."""
    for name, (source, make) in files.items():
        cases = tomllib.loads((HERE / "cases" / f"{source}.toml").read_text(encoding="utf-8"))
        text = json.dumps(make(cases), ensure_ascii=False, indent=1) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--drawn"]:
        main(HERE, DRAWN)
    else:
        main(Path(sys.argv[1]) if sys.argv[1:] else HERE, MADE)
