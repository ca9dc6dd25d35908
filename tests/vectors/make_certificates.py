"""Makes the golden certificates: `python make_certificates.py` writes certificates/ anew, with the OpenSSL command line.

It must never import passbridge. Their issuers' names are then written down by Java, whose form the mainland gateway goes
by: `java Serials.java certificates > certificates/serials.json`.
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "certificates"
KEYS = HERE / "keys"

ROOT, CLASS_2 = (
    "/C=CN/O=Test Financial/OU=Certification Authority/CN=Test Authority R1",
    "/C=CN/O=Test Financial/CN=Test Authority Class 2 R1",
)
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
LEAF = "keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment"

ODD = {
    "order": ("/CN=first/C=CN/OU=b/O=after/L=city/ST=province", "1"),
    "beyond-ascii": ("/C=CN/O=支付宝(中国)网络技术有限公司/OU=é〇/CN=蚂蚁-2088", "0x7fffffffffffffffffffffffffffffff"),
    "escaped": (r'/O=Comma, Inc.\+"quote"\\back;<x>/CN=a\/b', "0x00e3b0c44298fc1c149afbf4c8996fb924"),
    "equals-and-hash": ("/O=a=b#c/CN=#lead", "77"),
    "spaces": ("/O=  two before and after  /CN=in the middle", "78"),
    "several-in-one-part": ("/C=CN/O=x+OU=y/CN=z", "79"),
    "without-keyword": ("/C=CN/serialNumber=12/title=t/emailAddress=ca@example.com/DC=example/UID=u/street=s/CN=e", "80"),
}


def openssl(*words: str | Path, given: str = "") -> str:
    """Run OpenSSL; what it says on standard output."""
    command = ["openssl", *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words


def self_signed(key: str | Path, subject: str, serial: str, digest: str = "sha256") -> str:
    """A root certificate, valid for a hundred years."""
    words = (
        "-subj",
        subject,
        "-utf8",
        "-set_serial",
        serial,
        "-days",
        "36500",
        f"-{digest}",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
    )
    return openssl("req", "-x509", "-key", _key(key), *words)


def issued(key: str, subject: str, serial: str, by: tuple[str, str], extensions: str) -> str:
    """A certificate issued by another one, given by its key and its text."""
    request = openssl("req", "-new", "-key", _key(key), "-subj", subject, "-utf8")
    with TemporaryDirectory() as folder:
        authority, more = Path(folder, "ca.pem"), Path(folder, "more.cnf")
        authority.write_text(by[1], encoding="utf-8")
        more.write_text(extensions, encoding="utf-8")
        words = ("-set_serial", serial, "-days", "36500", "-sha256", "-extfile", more)
        return openssl("x509", "-req", "-CA", authority, "-CAkey", _key(by[0]), *words, given=request)


def on_a_curve(subject: str) -> str:
    """A root whose key is no RSA key."""
    with TemporaryDirectory() as folder:
        key = Path(folder, "ec.pem")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        return self_signed(key, subject, "3")


def refused_by_strict_readers() -> str:
    """A root whose algorithm has a parameter that it can't have, as one in the real bundle."""
    text = on_a_curve("/C=CN/O=Test Financial/CN=Test Authority E1")
    der = base64.b64decode("".join(text.splitlines()[1:-1]))
    plain, null = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
    inner = _longer(der[4:], 2).replace(plain, null)
    whole = _longer(der[:4] + inner, 4)
    lines = base64.encodebytes(whole).decode()
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


def _longer(der: bytes, by: int) -> bytes:
    """The same value with a greater length (of two bytes)."""
    return der[:2] + (int.from_bytes(der[2:4], "big") + by).to_bytes(2, "big") + der[4:]


def _key(name: str | Path) -> Path:
    return name if isinstance(name, Path) else KEYS / f"{name}.pem"


def main() -> None:
    """Write every file."""
    root = self_signed("hk-gateway", ROOT, "0x1fcfa18d6a480d11")
    second = self_signed(
        "hk-gateway-2", "/C=CN/O=Trust/OU=Trust Network/CN=Class 2 Root CA - G3", "0x10c764e9d560384212d9c08fd10e373fdd0fb396", "sha1"
    )
    class_2 = issued("hk-app", CLASS_2, "7", ("hk-gateway", root), AUTHORITY)
    by = ("hk-app", class_2)
    leaves = {
        "app": issued("cn-app", "/C=CN/O=商户/OU=Alipay/CN=2088-2014072300007148", "0x2023100885c7ea7b26ffb821a2ebafca", by, LEAF),
        "gateway": issued("cn-gateway", "/C=CN/O=支付宝/OU=Alipay/CN=支付宝-2088", "0x2023101285c7ea7b26ffb821a2ebafcb", by, LEAF),
        "gateway-2": issued("cn-gateway-2", "/C=CN/O=支付宝/OU=Alipay/CN=支付宝-2088", "0x2028101285c7ea7b26ffb821a2ebafcc", by, LEAF),
    }
    files = {
        "root": "\r\n\r\n".join(text.replace("\n", "\r\n") for text in (refused_by_strict_readers(), root, second)),
        "class-2": class_2,
        "app": leaves["app"],
        **{name: leaves[name] + class_2 for name in ("gateway", "gateway-2")},
        "weak": issued("weak", "/CN=weak", "9", by, LEAF),
        "curve": on_a_curve("/CN=curve"),
        **{f"odd-{name}": self_signed("stranger", subject, serial) for name, (subject, serial) in ODD.items()},
    }
    for name, text in files.items():
        (FOLDER / f"{name}.pem").write_bytes(text.encode())


if __name__ == "__main__":
    main()
