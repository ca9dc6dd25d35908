"""What the mainland's gateway's documents leave open, and what the sandbox does meanwhile.

Owns the table of its guesses. It must not know how a reading is carried out.
"""

from __future__ import annotations

from typing import Final

from passbridge.sandbox.guess import SILENT, Guess

__all__ = ["MAINLAND"]

_UPDATE_ERROR = "KP.AE_ALIPASS_UPDATE_ERROR"
_NOT_EXIST = "KP.AE_ALIPASS_NOTEXIST"
_INVALID = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"

MAINLAND: Final[tuple[Guess, ...]] = (
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
    Guess("mainland.tpl_params", "what becomes of the parameters that tpl_params leaves out", ("replaced", "merged"), "invented", SILENT),
    Guess("mainland.used_again", "USED for a used pass", (_UPDATE_ERROR, "success"), "invented", SILENT),
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
    Guess("mainland.wrong_holder", "a user_id or open_id that isn't the holder's", (_NOT_EXIST, "allowed"), "invented", SILENT),
    Guess(
        "mainland.undeclared_params",
        "tpl_params that the template of an issued pass doesn't declare",
        ("allowed", _INVALID),
        "inferred",
        "support forum: only the fields that are dynamic in the template change",
    ),
    Guess("mainland.closed_again", "CLOSED for a closed pass", (_UPDATE_ERROR, _NOT_EXIST, "success"), "invented", SILENT),
    Guess("mainland.closed_after_used", "CLOSED for a used pass", ("allowed", _UPDATE_ERROR), "invented", SILENT),
    Guess("mainland.update_after_used", "tpl_params alone for a used pass", (_UPDATE_ERROR, "allowed"), "invented", SILENT),
    Guess("mainland.update_after_closed", "tpl_params alone for a closed pass", (_UPDATE_ERROR, _NOT_EXIST), "invented", SILENT),
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
    Guess("mainland.unknown_template", "a tpl_id that isn't the app's", (_INVALID, _NOT_EXIST), "invented", SILENT),
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
    Guess("mainland.query_nothing", "a query that finds no pass", ("empty", _NOT_EXIST), "invented", SILENT),
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
        SILENT,
    ),
)
"""Every guess, the default reading first."""
