"""The catalogue of faults: each by its name, how it is asked for, and what it does, in a line.

Owns the list as data; the README shows the same. It must not know how any fault is carried out, nor when it strikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["FAULTS", "GATEWAYS", "HONEST", "MAX_DELAY", "FaultKind"]

GATEWAYS: Final = ("hk", "mainland")
"""The two simulated gateways."""

MAX_DELAY: Final = 300.0
"""Seconds: no client waits longer."""

_MAX_OFF: Final = 10 * 365 * 86400.0
"""Seconds by which a clock may be wrong: ten years."""

_MAX_BYTES: Final = 2**20
"""Bytes of an answer behind which a connection may break."""

_HK: Final = ("hk",)
_MAINLAND: Final = ("mainland",)

Sends = Literal["own", "code", "forged", "altered", "raw", "page", "nothing", "early"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        spelling: how it is asked for.
        text: what it does, in a line.
        sends: the gateway's own answer; a chosen code; an answer that is signed or said otherwise than it should be;
            one altered behind the gateway; its bytes written to the connection by hand; an HTML page; nothing; or an
            answer before there is a request.
        applies: whether the update is carried out.
        gateways: the gateways that can do it.
        valid: whether the answer is right nevertheless, so that a client has to accept it.
        mode: what a request's app must use for the fault to strike: `certificates`, `encryption`, or nothing.
        least: the smallest number that may stand behind the name.
        most: the largest.
    """

    spelling: str
    text: str
    sends: Sends = "forged"
    applies: bool = True
    gateways: tuple[str, ...] = GATEWAYS
    valid: bool = False
    mode: str = ""
    least: float = 0.0
    most: float = MAX_DELAY

    @property
    def name(self) -> str:
        """What it is listed under."""
        return self.spelling.partition(":")[0]

    @property
    def argument(self) -> str:
        """What stands behind the name: `NAME`, `SECONDS`, `N`, or nothing."""
        return self.spelling.partition(":")[2]


HONEST: Final = FaultKind("", "no fault", "own")
"""What happens when no fault applies."""

_COURSE: Final = (
    FaultKind("code:NAME", "answers this documented code; the update is not applied", "code", applies=False),
    FaultKind("code-after:NAME", "applies the update, then answers this documented code", "code"),
    FaultKind("lose-answer", "applies the update, then cuts the connection", "nothing"),
    FaultKind("drop-request", "cuts the connection; the update is not applied", "nothing", applies=False),
    FaultKind("unsigned", "applies the update and answers without a signature"),
    FaultKind("bad-signature", "applies the update; a key nobody registered signs"),
    FaultKind("delay:SECONDS", "applies the update, and answers so much later", "own"),
    FaultKind("http-502", "answers a proxy's HTML page; the update is not applied", "page", applies=False),
    FaultKind("http-502-after", "applies the update, then answers a proxy's page", "page"),
)

_SIGNATURE: Final = (
    FaultKind("empty-signature", "applies; the signature is empty"),
    FaultKind("malformed-signature", "applies; the signature is no base64"),
    FaultKind("sha1-signature", "applies; signed over SHA-1, where SHA-256 is due"),
    FaultKind("md5-signature", "applies; signed over MD5"),
    FaultKind("signature-twice", "applies; two signatures, the first the right one, the second a stranger's"),
    FaultKind("reserialised", "applies; the JSON is written anew after it was signed"),
    FaultKind("replay", "applies; the last signed answer about another pass comes again, byte for byte, or an older one about this pass"),
    FaultKind("echo", "applies; the request's own content and signature come back as the answer"),
    FaultKind("other-algorithm", "applies; a right signature is announced as ECC224, or an ECC224 one as RSA256 (AlipayHK)", gateways=_HK),
    FaultKind("unknown-key-version", "applies; a right signature names keyVersion 999 (AlipayHK)", gateways=_HK),
    FaultKind("next-gateway-key", "applies; rightly signed by the gateway's next key, keyVersion 2 (AlipayHK)", gateways=_HK),
    FaultKind("signed-for-path", "applies; signed for the path of another API (AlipayHK)", gateways=_HK),
    FaultKind("signed-for-client", "applies; signed for another client id (AlipayHK)", gateways=_HK),
    FaultKind("signed-for-method", "applies; signed for GET (AlipayHK)", gateways=_HK),
    FaultKind("stale:SECONDS", "applies; signed with a Response-Time so long ago (AlipayHK)", gateways=_HK, most=_MAX_OFF),
    FaultKind(
        "clock:SECONDS",
        "applies; signed with a Response-Time so far ahead, or behind if negative (AlipayHK)",
        gateways=_HK,
        least=-_MAX_OFF,
        most=_MAX_OFF,
    ),
    FaultKind("plain-signature", "applies; valid: base64 that isn't percent-encoded (AlipayHK)", gateways=_HK, valid=True),
    FaultKind("percent-signature", "applies; valid: every character percent-encoded (AlipayHK)", gateways=_HK, valid=True),
)

_SHAPE: Final = (
    FaultKind("other-node", "applies; rightly signed, under the node of another method (mainland)", gateways=_MAINLAND),
    FaultKind("node-twice", "applies; the signed node, and the same name again with a refusal (mainland)", gateways=_MAINLAND),
    FaultKind("error-response-beside", "applies; the signed node, and error_response beside it (mainland)", gateways=_MAINLAND),
    FaultKind("sign-first", "applies; valid: sign stands before the node (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind("escaped-name", r"applies; valid: sign is spelt \u0073ign (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind("blanks", "applies; valid: blanks and CRLF between the members (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind("braces", "applies; valid: braces, quotes and a false sign inside a signed text (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind(
        "escaped-slashes", r"applies; valid: \/ in the node, signed over the unescaped form (mainland)", gateways=_MAINLAND, valid=True
    ),
    FaultKind("cert-sn-before", "applies; valid: alipay_cert_sn before the node (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind("cert-sn-after", "applies; valid: alipay_cert_sn behind the signature (mainland)", gateways=_MAINLAND, valid=True),
    FaultKind(
        "cert-sn-unknown",
        "applies; rightly signed, alipay_cert_sn names a certificate that nobody can download (mainland, certificate mode)",
        gateways=_MAINLAND,
        mode="certificates",
    ),
    FaultKind(
        "cert-sn-missing",
        "applies; rightly signed, without alipay_cert_sn (mainland, certificate mode)",
        gateways=_MAINLAND,
        mode="certificates",
    ),
    FaultKind(
        "stranger-certificate",
        "applies; a stranger signs, or a download hands out its certificate under the real serial number (mainland, certificate mode)",
        gateways=_MAINLAND,
        mode="certificates",
    ),
    FaultKind("gbk-answer", "applies; valid: GBK, whatever charset was asked for (mainland)", gateways=_MAINLAND, valid=True),
)

_CONTENT: Final = (
    FaultKind("duplicate-member", "applies; rightly signed, the code stands twice with two values"),
    FaultKind("nan", "applies; rightly signed, with a NaN"),
    FaultKind("deep-nesting", "applies; rightly signed, with arrays 100,000 deep"),
    FaultKind("giant-number", "applies; rightly signed, with a number of 100,000 digits"),
    FaultKind("lone-surrogate", r"applies; rightly signed, with a lone \ud800"),
    FaultKind("utf-16", "applies; rightly signed, in UTF-16"),
    FaultKind("bom", "applies; rightly signed, behind a byte order mark"),
    FaultKind("html-page", "applies, then answers an HTML page under status 200, unsigned", "page"),
    FaultKind("signed-page", "applies; an HTML page under status 200, rightly signed (AlipayHK)", gateways=_HK),
    FaultKind("empty-body", "applies; an empty body (AlipayHK: rightly signed)"),
    FaultKind("null-body", "applies; the body is null (AlipayHK: rightly signed)"),
    FaultKind("encrypted", "applies; rightly signed, and looks encrypted"),
    FaultKind("torn-ciphertext", "applies; rightly signed, the ciphertext lacks its last block (encrypted requests)", mode="encryption"),
    FaultKind("plain-answer", "applies; rightly signed, plain where an encrypted answer is due (encrypted requests)", mode="encryption"),
    FaultKind(
        "plain-error",
        "applies, then answers that the request can't be decrypted, plain and unsigned (mainland, encrypted requests)",
        gateways=_MAINLAND,
        mode="encryption",
    ),
    FaultKind(
        "bad-wrapped-key",
        "applies; rightly signed, the AES key wrapped for a stranger (AlipayHK, encrypted requests)",
        gateways=_HK,
        mode="encryption",
    ),
    FaultKind(
        "no-encrypt-header",
        "applies; rightly signed ciphertext without Encrypt (AlipayHK, encrypted requests)",
        gateways=_HK,
        mode="encryption",
    ),
    FaultKind(
        "same-aes-key",
        "applies; valid: under the request's AES key, which Encrypt doesn't repeat (AlipayHK, encrypted requests)",
        gateways=_HK,
        valid=True,
        mode="encryption",
    ),
    FaultKind("s-with-failure", "applies; rightly signed, S with a failure's code (AlipayHK)", gateways=_HK),
    FaultKind("f-with-success", "applies; rightly signed, F with SUCCESS (AlipayHK)", gateways=_HK),
    FaultKind("two-results", "applies; rightly signed, two results that differ (AlipayHK)", gateways=_HK),
    FaultKind("no-letter", "applies; rightly signed, without resultStatus (AlipayHK)", gateways=_HK),
    FaultKind("unknown-letter", "applies; rightly signed, resultStatus X (AlipayHK)", gateways=_HK),
    FaultKind("success-false", "applies; rightly signed, 10000 with success false (mainland)", gateways=_MAINLAND),
    FaultKind("success-with-sub-code", "applies; rightly signed, 10000 with a sub_code (mainland)", gateways=_MAINLAND),
    FaultKind("failure-with-success", "applies; rightly signed, 40004 with success true (mainland)", gateways=_MAINLAND),
    FaultKind("result-not-json", "applies; rightly signed, result is no JSON (mainland)", gateways=_MAINLAND),
    FaultKind("result-other-pass", "applies; rightly signed, result names another pass (mainland)", gateways=_MAINLAND),
)

_TRANSPORT: Final = (
    FaultKind("reset-at:N", "applies; the connection is reset behind N bytes of the answer", "raw", most=_MAX_BYTES),
    FaultKind("end-at:N", "applies; the connection ends behind N bytes of the answer", "raw", most=_MAX_BYTES),
    FaultKind("drip-head:SECONDS", "applies; the header comes byte by byte, so long apart", "raw"),
    FaultKind("drip-body:SECONDS", "applies; the body comes byte by byte, so long apart", "raw"),
    FaultKind("length-short", "applies; Content-Length is half the body's", "raw"),
    FaultKind("length-long", "applies; Content-Length promises 100 bytes that never come", "raw"),
    FaultKind("length-and-chunked", "applies; Content-Length together with Transfer-Encoding", "raw"),
    FaultKind("bad-chunk", "applies; half the body, then a chunk whose size is no number", "raw"),
    FaultKind("gzip", "applies; the body comes compressed though nobody asked", "raw"),
    FaultKind("gzip-bomb", "applies; the body comes compressed, and is 200 MB large unpacked", "raw"),
    FaultKind("huge-body", "applies; 200 MB of blanks follow in the body", "raw"),
    FaultKind("many-headers", "applies; 10,000 header fields", "raw"),
    FaultKind("flood-1xx", "applies; 10,000 interim answers first", "raw"),
    FaultKind("leftover", "applies; the signed answer comes twice in one piece, and the connection stays open", "raw"),
    FaultKind("idle-answer:SECONDS", "applies; the signed answer comes again so much later, and the connection stays open", "raw"),
    FaultKind(
        "early-answer",
        "strikes the next connection: a signed success (AlipayHK's unless the gateway is named) before any request, which is then served",
        "early",
    ),
    FaultKind("redirect", "applies; the signed answer under 302, which leads to the same address", "altered"),
    FaultKind("http-500", "applies; the signed answer under status 500", "altered"),
    FaultKind("http-503:SECONDS", "applies; the signed answer under status 503 with this Retry-After", "altered"),
)

FAULTS: Final[Mapping[str, FaultKind]] = MappingProxyType(
    {kind.name: kind for kind in (*_COURSE, *_SIGNATURE, *_SHAPE, *_CONTENT, *_TRANSPORT)}
)
"""Every fault by its name. `NAME` is a documented code; one that is documented in two variants takes the wanted one
behind it: `code:REQUEST_TRAFFIC_EXCEED_LIMIT:F` (a status letter), `code:isv.missing-signature-config:40002`."""
