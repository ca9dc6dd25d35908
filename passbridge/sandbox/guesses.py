"""What the gateways' documents leave open, and what the sandbox does meanwhile.

Owns the table of guesses: each with its name, the readings it can take, the one chosen unless told otherwise, how
sure it is and where it comes from. A guess is switched by its name; nothing else in the sandbox decides by whim.
It must not know how a reading is carried out.

Confidence: `observed` on a real gateway's wire; `inferred` from what a document says nearby; `invented`: no document
says anything, and the harsher or the plainer reading was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import JsonObject
from passbridge.errors import Problem
from passbridge.sandbox.inputs import BadInput

__all__ = ["ALLOWED", "GUESSES", "Guess", "Guesses"]

ALLOWED = frozenset({"allowed", "success"})
"""The readings that let a change of state through; every other reading of such a guess is the code answered."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One open question: its name, what it asks, the readings it can take, the default first, and why."""

    name: str
    text: str
    values: tuple[str, ...]
    confidence: str
    source: str

    @property
    def default(self) -> str:
        """The reading taken unless told otherwise."""
        return self.values[0]


_UPDATE_ERROR = "KP.AE_ALIPASS_UPDATE_ERROR"
_NOT_EXIST = "KP.AE_ALIPASS_NOTEXIST"
_INVALID = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"
_ILLEGAL = "PASS_STATUS_ILLEGAL"
_NO_TEMPLATE = "PASS_TEMPLATE_HAS_NOT_EXIT"
_REDEEM_PAGE = "AlipayHK error page: if the pass is used or closed already, errors will be returned"
_SILENT = "no document says"

GUESSES: tuple[Guess, ...] = (
    Guess(
        "hk.check_order", "which is looked at first: what travels, or who asks", ("transport-first", "client-first"), "inferred", _SILENT
    ),
    Guess(
        "hk.result_node",
        "the answer's one member",
        ("result", "resultInfo", "ResultInfo"),
        "observed",
        "seed 000 (table: result; sample: resultInfo), seeds 001 and 002 (resultInfo); a real integration reads result",
    ),
    Guess("hk.time_window", "how far Request-Time may be off", ("off", "15min", "30min"), "invented", _SILENT),
    Guess(
        "hk.wrong_merchant",
        "a merchantId that isn't the client's",
        ("PARAM_ILLEGAL", "ACCESS_DENIED", "INVALID_CONTRACT"),
        "invented",
        _SILENT,
    ),
    Guess("hk.wrong_holder", "a known user who doesn't hold this pass", ("PASS_HAS_NOT_EXIST", "USER_NOT_EXIST"), "inferred", "seed 002"),
    Guess(
        "hk.wrong_template",
        "a templateCode that isn't the pass's",
        ("PARAM_ILLEGAL", _NO_TEMPLATE, "ignored"),
        "invented",
        "AlipayHK error page",
    ),
    Guess("hk.data_info", "what becomes of the parameters that dataInfo leaves out", ("replaced", "merged"), "invented", _SILENT),
    Guess(
        "hk.ticket_data_info",
        "when a ticket needs dataInfo",
        ("update", "always"),
        "observed",
        "seed 002: REQUIRED for TICKET; a real integration redeems without it",
    ),
    Guess("hk.stale_biz_date", "a bizDate older than the last one of this pass", ("accepted", "PARAM_ILLEGAL"), "invented", _SILENT),
    Guess("hk.used_after_closed", "USED for a closed pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST"), "inferred", _REDEEM_PAGE),
    Guess("hk.used_after_refund", "USED for a refunded pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST"), "inferred", "seed 002"),
    Guess("hk.closed_again", "CLOSED for a closed pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST", "allowed"), "inferred", _REDEEM_PAGE),
    Guess("hk.closed_after_used", "CLOSED for a used pass", ("allowed", _ILLEGAL), "invented", _SILENT),
    Guess("hk.closed_after_refund", "CLOSED for a refunded pass", (_ILLEGAL, "allowed"), "invented", _SILENT),
    Guess(
        "hk.update_inactive_card",
        "UPDATE for a card that isn't active",
        ("PASS_UPDATE_FAIL", _ILLEGAL),
        "inferred",
        "seed 000; AlipayHK error page: only a pass with 'active' status can be updated",
    ),
    Guess(
        "hk.update_inactive",
        "UPDATE for a ticket or membership card that isn't active",
        (_ILLEGAL, "PASS_UPDATE_FAIL"),
        "inferred",
        "seed 002 doesn't list PASS_UPDATE_FAIL",
    ),
    Guess("hk.refund_after_used", "REFUND for a used ticket", ("allowed", _ILLEGAL), "invented", _SILENT),
    Guess("hk.refund_after_closed", "REFUND for a closed ticket", (_ILLEGAL, "allowed"), "invented", _SILENT),
    Guess("hk.refund_again", "REFUND for a refunded ticket", (_ILLEGAL, "allowed"), "invented", _SILENT),
    Guess(
        "hk.ecc224_hash",
        "the hash of an ECC224 signature (P-224, DER)",
        ("SHA224", "SHA256"),
        "inferred",
        "by analogy with RSA256, which is Java's SHA256withRSA; no page says more than the name",
    ),
    Guess(
        "hk.key_wrapping",
        "how an AES key stands under RSA in RSA_AES (AES in ECB mode with PKCS#5 padding, standard base64)",
        ("PKCS1", "OAEP-SHA1", "OAEP-SHA256"),
        "inferred",
        "the official SDK of a sibling gateway; AlipayHK's pages say nothing",
    ),
    Guess(
        "hk.encrypted_type",
        "the content type of an encrypted answer: text/plain or application/json; requests may come as either",
        ("text", "json"),
        "inferred",
        "the official SDK of a sibling gateway sends text/plain, other integrations application/json",
    ),
    Guess(
        "hk.plain_request",
        "a plain request of a client whose bodies are to be encrypted; where it is accepted, so is the answer plain",
        ("PARAM_ILLEGAL", "ACCESS_DENIED", "accepted"),
        "invented",
        _SILENT,
    ),
    Guess(
        "hk.undecryptable",
        "a rightly signed ciphertext that can't be decrypted, whatever the cause; the answer is signed and plain",
        ("PARAM_ILLEGAL", "MSG_PARSE_ERROR", "PROCESS_FAIL"),
        "invented",
        _SILENT,
    ),
    Guess(
        "hk.new_template", "the status of a new template", ("valid", "frozen"), "inferred", "template pages: valid is the default status"
    ),
    Guess(
        "hk.template_again",
        "createTemplate with a requestId that was used before",
        ("same-template", "PARAM_ILLEGAL"),
        "inferred",
        "a sibling API of the same wallet says that requestId supports idempotency",
    ),
    Guess(
        "hk.template_update",
        "what updateTemplate needs: the changed members alone, or every one that its page marks as mandatory",
        ("changed-only", "every-mandatory"),
        "inferred",
        "Update Card Template",
    ),
    Guess(
        "hk.update_inactive_template",
        "updateTemplate for a closed or expired template",
        ("PASS_TEMPLATE_STATUS_ILLEGAL", "STATE_MACHINE_ILLEGAL", "allowed"),
        "invented",
        _SILENT,
    ),
    Guess(
        "hk.issue_inactive_template",
        "createPass from a template that is frozen, paused, expired or closed",
        ("PASS_TEMPLATE_STATUS_ILLEGAL", _NO_TEMPLATE, "PROCESS_FAIL", "allowed"),
        "invented",
        _SILENT,
    ),
    Guess(
        "hk.issue_dates",
        "how createPass takes its moments: in milliseconds alone, or also as 2020-09-01 00:00:00",
        ("milliseconds", "also-text"),
        "inferred",
        "the tables say milliseconds; the sample of the oldest edition has text",
    ),
    Guess(
        "hk.new_holder",
        "createPass for a user who holds no pass in this sandbox",
        ("accepted", "USER_NOT_EXIST", "USER_NOT_EXSITS"),
        "invented",
        "a simulator knows no other users; the two spellings are the pages' own",
    ),
    Guess(
        "hk.scenario_fields",
        "whether a ticket's dataInfo is held against the names and lengths of its scenario's page",
        ("lenient", "strict"),
        "observed",
        "scenario pages; a real integration sent longer texts",
    ),
    Guess(
        "hk.member_card_page",
        "which page's rules a member card follows that createPass issued",
        ("membership", "card"),
        "inferred",
        "seeds 000 and 001 both speak of member cards",
    ),
    Guess(
        "mainland.check_order",
        "whether timestamp, format and version are looked at before the signature or after it",
        ("format-first", "signature-first"),
        "inferred",
        "app_id was seen to come before the signature; the rest is unknown",
    ),
    Guess(
        "mainland.format_errors",
        "whether the refusal of a malformed public parameter is signed",
        ("unsigned", "signed"),
        "inferred",
        "its neighbours in the order of checks are unsigned",
    ),
    Guess(
        "mainland.time_window", "how far timestamp may be off", ("off", "10min", "30min"), "invented", "the v3 gateway documents 10 minutes"
    ),
    Guess(
        "mainland.success_type",
        "how success is written",
        ("text", "bool"),
        "observed",
        "seed 003 (text); an official test suite read a boolean",
    ),
    Guess("mainland.tpl_params", "what becomes of the parameters that tpl_params leaves out", ("replaced", "merged"), "invented", _SILENT),
    Guess("mainland.used_again", "USED for a used pass", (_UPDATE_ERROR, "success"), "invented", _SILENT),
    Guess(
        "mainland.used_after_closed",
        "USED for a closed pass",
        (_UPDATE_ERROR, _NOT_EXIST),
        "inferred",
        "support forum: only a pass in a valid state can be redeemed",
    ),
    Guess(
        "mainland.used_after_expiry",
        "USED for a pass whose template says that it is over",
        (_UPDATE_ERROR, "allowed"),
        "inferred",
        "support forum: only a pass in a valid state can be redeemed",
    ),
    Guess("mainland.wrong_holder", "a user_id or open_id that isn't the holder's", (_NOT_EXIST, "allowed"), "invented", _SILENT),
    Guess(
        "mainland.undeclared_params",
        "tpl_params that the template of an issued pass doesn't declare",
        ("allowed", _INVALID),
        "inferred",
        "support forum: only the fields that are dynamic in the template change",
    ),
    Guess("mainland.closed_again", "CLOSED for a closed pass", (_UPDATE_ERROR, _NOT_EXIST, "success"), "invented", _SILENT),
    Guess("mainland.closed_after_used", "CLOSED for a used pass", ("allowed", _UPDATE_ERROR), "invented", _SILENT),
    Guess("mainland.update_after_used", "tpl_params alone for a used pass", (_UPDATE_ERROR, "allowed"), "invented", _SILENT),
    Guess("mainland.update_after_closed", "tpl_params alone for a closed pass", (_UPDATE_ERROR, _NOT_EXIST), "invented", _SILENT),
    Guess(
        "mainland.operate",
        "the member of a result that names the operation",
        ("operate", "operation"),
        "observed",
        "seed 003 and an official test suite (operate); an official SDK's comment (operation)",
    ),
    Guess(
        "mainland.unique_id_length",
        "how long unique_id may be",
        ("999", "64"),
        "inferred",
        "today's page of alipay.pass.template.add (999); its edition of 2016 (64)",
    ),
    Guess(
        "mainland.template_again",
        "alipay.pass.template.add under a unique_id that the app has used: the same template again, or a refusal",
        ("same", _INVALID),
        "inferred",
        "an official test suite adds under one unique_id again and again, and is never refused",
    ),
    Guess("mainland.unknown_template", "a tpl_id that isn't the app's", (_INVALID, _NOT_EXIST), "invented", _SILENT),
    Guess(
        "mainland.static_serial",
        "a template whose serialNumber is no parameter",
        ("allowed", _INVALID),
        "observed",
        "an official test suite adds one; a page says that it must be dynamic",
    ),
    Guess(
        "mainland.recognition_by_order",
        "recognition_type 1: the recipient by an order",
        ("KP.AE_ALIPASS_APPID_NOSUPPORT", "allowed"),
        "observed",
        "an official test suite; the page says that only 2 is supported today",
    ),
    Guess(
        "mainland.serial_again",
        "alipay.pass.instance.add with a serial number that the channel has used: a refusal, or the same pass again",
        (_INVALID, "same"),
        "inferred",
        "serialNumber is unique for each card",
    ),
    Guess("mainland.query_nothing", "a query that finds no pass", ("empty", _NOT_EXIST), "invented", _SILENT),
    Guess(
        "mainland.query_unbounded",
        "a query that names no pass, template or user",
        ("KP.AE_ALIPASS_PARAME_IS_NULL", "everything"),
        "invented",
        "every criterion is optional by itself",
    ),
    Guess(
        "mainland.closed_is_deleted",
        "is_deleted of a closed pass in a query's answer",
        ("false", "true"),
        "inferred",
        "an official SDK's comment: whether the user deleted it",
    ),
    Guess("mainland.aes_v2", "encrypt_type AES_V2", ("accepted", "refused"), "inferred", "an official SDK speaks it; no page names it"),
    Guess(
        "mainland.encrypted_failures",
        "whether a business failure is encrypted, where its request was",
        ("encrypted", "plain"),
        "inferred",
        "a failed decryption was seen to be answered plainly; nothing else is known",
    ),
    Guess(
        "mainland.cert_sn_place",
        "where alipay_cert_sn stands: before the node, between node and signature, or behind both",
        ("between", "first", "last"),
        "observed",
        "replies in certificate mode; the order of members is promised nowhere",
    ),
    Guess(
        "mainland.download_signer",
        "whose certificate signs the answer that hands one out: the one the merchant was given first, or the one in use",
        ("first", "current"),
        "invented",
        _SILENT,
    ),
)
"""Every guess, the default reading first."""

_BY_NAME = {guess.name: guess for guess in GUESSES}


class Guesses:
    """The readings in force."""

    def __init__(self) -> None:
        self._chosen: Mapping[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """The reading of this guess."""
        return self._chosen.get(name, _BY_NAME[name].default)

    def choose(self, chosen: object) -> None:
        """Switch guesses to other readings, all of them or none.

        Raises:
            BadInput: not an object, an unknown guess, a reading it doesn't have.
        """
        if not isinstance(chosen, Mapping):
            raise BadInput([Problem("", "not_an_object", 'must be a JSON object of guesses and readings, {"name": "value"}')])
        problems = [problem for name, value in chosen.items() if (problem := _wrong(str(name), value))]
        if problems:
            raise BadInput(problems)
        self._chosen = {**self._chosen, **chosen}

    def reset(self) -> None:
        """Take every default again."""
        self._chosen = {}

    def as_json(self) -> list[JsonObject]:
        """Each guess with the reading in force."""
        return [{**asdict(guess), "values": list(guess.values), "default": guess.default, "value": self[guess.name]} for guess in GUESSES]


def _wrong(name: str, value: object) -> Problem | None:
    if name not in _BY_NAME:
        return Problem(name, "unknown_guess", "no such guess", did_you_mean(name, _BY_NAME))
    values = _BY_NAME[name].values
    if isinstance(value, str) and value in values:
        return None
    return Problem(name, "unknown_reading", "this guess has no such reading", f"one of {', '.join(values)}")
