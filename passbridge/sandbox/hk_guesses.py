"""What AlipayHK's documents leave open, and what the sandbox does meanwhile.

Owns the table of its guesses. It must not know how a reading is carried out.
"""

from __future__ import annotations

from typing import Final

from passbridge.sandbox.guess import SILENT, Guess

__all__ = ["HK"]

_ILLEGAL = "PASS_STATUS_ILLEGAL"
_NO_TEMPLATE = "PASS_TEMPLATE_HAS_NOT_EXIT"
_REDEEM_PAGE = "AlipayHK error page: if the pass is used or closed already, errors will be returned"

HK: Final[tuple[Guess, ...]] = (
    Guess("hk.check_order", "which is looked at first: what travels, or who asks", ("transport-first", "client-first"), "inferred", SILENT),
    Guess(
        "hk.result_node",
        "the answer's one member",
        ("result", "resultInfo", "ResultInfo"),
        "observed",
        "seed 000 (table: result; sample: resultInfo), seeds 001 and 002 (resultInfo); a real integration reads result",
    ),
    Guess("hk.time_window", "how far Request-Time may be off", ("off", "15min", "30min"), "invented", SILENT),
    Guess(
        "hk.wrong_merchant",
        "a merchantId that isn't the client's",
        ("PARAM_ILLEGAL", "ACCESS_DENIED", "INVALID_CONTRACT"),
        "invented",
        SILENT,
    ),
    Guess("hk.wrong_holder", "a known user who doesn't hold this pass", ("PASS_HAS_NOT_EXIST", "USER_NOT_EXIST"), "inferred", "seed 002"),
    Guess(
        "hk.wrong_template",
        "a templateCode that isn't the pass's",
        ("PARAM_ILLEGAL", _NO_TEMPLATE, "ignored"),
        "invented",
        "AlipayHK error page",
    ),
    Guess("hk.data_info", "what becomes of the parameters that dataInfo leaves out", ("replaced", "merged"), "invented", SILENT),
    Guess(
        "hk.ticket_data_info",
        "when a ticket needs dataInfo",
        ("update", "always"),
        "observed",
        "seed 002: REQUIRED for TICKET; a real integration redeems without it",
    ),
    Guess("hk.stale_biz_date", "a bizDate older than the last one of this pass", ("accepted", "PARAM_ILLEGAL"), "invented", SILENT),
    Guess("hk.used_after_closed", "USED for a closed pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST"), "inferred", _REDEEM_PAGE),
    Guess("hk.used_after_refund", "USED for a refunded pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST"), "inferred", "seed 002"),
    Guess("hk.closed_again", "CLOSED for a closed pass", (_ILLEGAL, "PASS_HAS_NOT_EXIST", "allowed"), "inferred", _REDEEM_PAGE),
    Guess("hk.closed_after_used", "CLOSED for a used pass", ("allowed", _ILLEGAL), "invented", SILENT),
    Guess("hk.closed_after_refund", "CLOSED for a refunded pass", (_ILLEGAL, "allowed"), "invented", SILENT),
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
    Guess("hk.refund_after_used", "REFUND for a used ticket", ("allowed", _ILLEGAL), "invented", SILENT),
    Guess("hk.refund_after_closed", "REFUND for a closed ticket", (_ILLEGAL, "allowed"), "invented", SILENT),
    Guess("hk.refund_again", "REFUND for a refunded ticket", (_ILLEGAL, "allowed"), "invented", SILENT),
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
        SILENT,
    ),
    Guess(
        "hk.undecryptable",
        "a rightly signed ciphertext that can't be decrypted, whatever the cause; the answer is signed and plain",
        ("PARAM_ILLEGAL", "MSG_PARSE_ERROR", "PROCESS_FAIL"),
        "invented",
        SILENT,
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
        SILENT,
    ),
    Guess(
        "hk.issue_inactive_template",
        "createPass from a template that is frozen, paused, expired or closed",
        ("PASS_TEMPLATE_STATUS_ILLEGAL", _NO_TEMPLATE, "PROCESS_FAIL", "allowed"),
        "invented",
        SILENT,
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
)
"""Every guess, the default reading first."""
