from __future__ import annotations

import json
import socket

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.inputs import BadInput
from passbridge.sandbox.web import MAX_BODY
from tests.sandbox.conftest import CARD, CHANNEL, MEMBER, OPEN_ID, PATH, SERIAL, TICKET, USER, Answer, Cn, Hk, ask, encoded, last

SEEDED = [
    {
        "gateway": "hk",
        "id": CARD,
        "account": "hk-cards",
        "state": "ACTIVE",
        "content": {},
        "holder": {"user_id": USER, "open_id": None},
        "template": "5228480402564890018",
        "channel": None,
        "valid_until": None,
        "code_info": None,
    },
    {
        "gateway": "hk",
        "id": MEMBER,
        "account": "hk-members",
        "state": "ACTIVE",
        "content": {},
        "holder": {"user_id": USER, "open_id": OPEN_ID},
        "template": "893297312932193811231231",
        "channel": None,
        "valid_until": None,
        "code_info": None,
    },
    {
        "gateway": "hk",
        "id": TICKET,
        "account": "hk-tickets",
        "state": "ACTIVE",
        "content": {},
        "holder": {"user_id": USER, "open_id": OPEN_ID},
        "template": None,
        "channel": None,
        "valid_until": None,
        "code_info": None,
    },
    {
        "gateway": "mainland",
        "id": SERIAL,
        "account": "cn",
        "state": "ACTIVE",
        "content": {},
        "holder": {"user_id": None, "open_id": None},
        "template": None,
        "channel": CHANNEL,
        "valid_until": None,
        "code_info": None,
    },
]


def post(box: Sandbox, path: str, value: object) -> Answer:
    return ask(box.url, "POST", path, json.dumps(value).encode())


def error(answer: Answer, status: int, *paths: str) -> None:
    """A refusal of the API, with these paths."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json["schema"] == "passbridge.error/1"
    assert answer.json["error"]
    assert [problem["path"] for problem in answer.json["problems"]] == list(paths)
    assert all(problem.keys() == {"path", "code", "message", "mend"} for problem in answer.json["problems"])


# --- passes ---------------------------------------------------------------------------------------------------------


def test_the_seeded_passes_are_listed(box: Sandbox) -> None:
    assert ask(box.url, "GET", "/sandbox/passes").json == box.passes() == SEEDED


def test_a_pass_can_be_added_and_used(hk: Hk) -> None:
    answer = post(hk.box, "/sandbox/passes", {"account": "hk-tickets", "id": "7", "open_id": "o", "content": {"$gate_zh_HK$": "1"}})
    assert answer.status == 201
    assert answer.json[0]["holder"] == {"user_id": None, "open_id": "o"}
    assert hk.box.passes()[4:] == answer.json
    assert hk.code("7", "USED", userId=..., openId="o") == "SUCCESS"


def test_passes_can_be_added_by_the_list(cn: Cn) -> None:
    answer = post(cn.box, "/sandbox/passes", [{"account": "cn", "id": "1"}, {"account": "cn", "id": "1", "channel": "2"}])
    assert [(row["id"], row["channel"]) for row in answer.json] == [("1", CHANNEL), ("1", "2")]
    assert cn.code("USED", serial_number="1", channel_id="2") == "10000"


def test_passes_that_make_no_sense_are_refused_with_every_reason(box: Sandbox) -> None:
    asked = [
        {},
        {"account": "hk-card", "id": "", "content": "{}", "serial": "1"},
        {"account": "hk-cards", "id": "1"},
        {"account": "hk-cards", "id": "1", "user_id": "1", "channel": "1"},
        {"account": "cn", "id": 1, "content": [1]},
        7,
    ]
    error(
        post(box, "/sandbox/passes", asked),
        400,
        *("[0].account", "[0].id", "[1].account", "[1].id", "[1].content", "[1].serial"),
        *("[2].user_id", "[3].channel", "[4].id", "[4].content", "[5]"),
    )
    error(post(box, "/sandbox/passes", {"account": "hk-cards", "id": "1"}), 400, "user_id")
    error(post(box, "/sandbox/passes", {"account": "hk-cards", "id": "1", "user_id": "1", "channel": "1"}), 400, "channel")
    assert box.passes() == SEEDED


def test_a_pass_is_never_added_twice(box: Sandbox) -> None:
    one = {"account": "hk-cards", "id": "1", "user_id": "1"}
    error(post(box, "/sandbox/passes", [one, one, {"account": "cn", "id": SERIAL}]), 400, "[1].id", "[2].id")
    error(post(box, "/sandbox/passes", {"account": "hk-tickets", "id": CARD, "user_id": "1"}), 400, "id")
    assert box.passes() == SEEDED


# --- requests, faults, guesses, codes -----------------------------------------------------------------------------


def test_requests_are_listed_newest_last(hk: Hk, cn: Cn) -> None:
    hk.code(TICKET, "USED")
    cn.code("CLOSED")
    ask(hk.box.url, "POST", PATH, b"{}", {"Content-Type": "application/json"})
    rows = ask(hk.box.url, "GET", "/sandbox/requests").json
    assert rows == hk.box.requests()
    assert [{name: value for name, value in row.items() if name != "at"} for row in rows] == [
        {
            "n": 1,
            "gateway": "hk",
            "account": "hk-tickets",
            "pass": TICKET,
            "action": "USED",
            "result": "SUCCESS",
            "applied": True,
            "signature": "ok",
            "fault": None,
            "status": 200,
        },
        {
            "n": 2,
            "gateway": "mainland",
            "account": "cn",
            "pass": SERIAL,
            "action": "CLOSED",
            "result": "10000",
            "applied": True,
            "signature": "ok",
            "fault": None,
            "status": 200,
        },
        {
            "n": 3,
            "gateway": "hk",
            "account": None,
            "pass": None,
            "action": None,
            "result": "INVALID_CLIENT",
            "applied": False,
            "signature": "the client id is missing or unknown",
            "fault": None,
            "status": 200,
        },
    ]


def test_faults_over_http(box: Sandbox) -> None:
    first = post(box, "/sandbox/faults", {"fault": "unsigned"})
    second = post(box, "/sandbox/faults", {"fault": "code:PASS_IS_NULL", "count": 3})
    assert (first.status, second.json["count"]) == (201, 3)
    assert ask(box.url, "GET", "/sandbox/faults").json == [first.json, second.json]
    error(ask(box.url, "DELETE", "/sandbox/faults?id=0"), 404, "")
    error(ask(box.url, "DELETE", "/sandbox/faults?id=first"), 400, "id")
    assert ask(box.url, "DELETE", f"/sandbox/faults?id={first.json['id']}").json == {"cleared": 1}
    assert box.faults() == [second.json]
    assert ask(box.url, "DELETE", "/sandbox/faults").json == {"cleared": 1}
    error(post(box, "/sandbox/faults", {"fault": "code:PASS_IS_NUL", "gateway": "hk"}), 400, "fault")
    error(post(box, "/sandbox/guesses", {"hk.data": "merged"}), 400, "hk.data")


@pytest.mark.parametrize("body", [b"", b"{", b'{"fault":"unsigned","fault":"unsigned"}'])
def test_a_body_that_is_no_json_is_refused(box: Sandbox, body: bytes) -> None:
    error(ask(box.url, "POST", "/sandbox/faults", body), 400, "")


def test_the_documented_codes_are_listed(box: Sandbox) -> None:
    rows = ask(box.url, "GET", "/sandbox/codes").json
    assert len(rows) == len(Inventory().rows)
    assert {
        "gateway": "hk",
        "code": "PASS_HAS_NOT_USED",
        "layer": "result",
        "status": "F",
        "gateway_code": None,
        "verdict": "failed",
        "wording": "This pass has not been used.",
        "where": "Result/Error codes, row 7",
        "page": "6. Update a Redeemable Card / Ticket",
        "source": "seed:002",
        "profiles": ["hk.ticket"],
    } in rows


def test_the_simulator_asking_for_an_undocumented_code_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Inventory().get("hk", "NOBODY_SAID_THIS")


def test_reset_over_http(hk: Hk) -> None:
    hk.code(TICKET, "USED")
    hk.box.add_fault({"fault": "unsigned"})
    hk.box.add_passes({"account": "cn", "id": "1"})
    assert ask(hk.box.url, "POST", "/sandbox/reset").json == {"reset": True}
    assert (hk.box.passes(), hk.box.requests(), hk.box.faults()) == (SEEDED, [], [])
    assert hk.code(TICKET, "USED") == "SUCCESS"
    assert last(hk.box)["n"] == 1


def test_it_says_that_it_is_ready_and_what_it_is(box: Sandbox) -> None:
    assert ask(box.url, "GET", "/sandbox/readyz").json == {"ready": True}
    page = ask(box.url, "GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for word in ("passbridge sandbox", PATH, "/gateway.do", "/sandbox/requests", "code-after:NAME"):
        assert word in page.body.decode()
    head = ask(box.url, "HEAD", "/")
    assert (head.status, head.body) == (200, b"")


def test_other_paths_and_methods_are_refused(box: Sandbox) -> None:
    answer = ask(box.url, "GET", "/sandbox/fault")
    error(answer, 404, "")
    assert answer.json["problems"][0]["mend"] == "did you mean '/sandbox/faults'?"
    answer = ask(box.url, "PUT", "/sandbox/faults")
    error(answer, 405, "")
    assert answer.headers["allow"] == "GET, POST, DELETE"


# --- who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LocalHost:8080", "[::1]", "[::1]:80"])
def test_the_machines_own_names_are_answered(box: Sandbox, host: str) -> None:
    assert ask(box.url, "GET", "/sandbox/readyz", headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost:x", "user@localhost", "::1", "127.0.0.2", ""])
@pytest.mark.parametrize("path", ["/sandbox/passes", "/gateway.do", PATH, "/"])
def test_other_names_are_misdirected(box: Sandbox, host: str, path: str) -> None:
    error(ask(box.url, "GET", path, headers={"Host": host}), 421, "")
    assert box.requests() == []


def test_a_request_without_any_name_is_misdirected(box: Sandbox) -> None:
    assert b" 421 " in raw(box, b"GET /sandbox/passes HTTP/1.0\r\n\r\n").partition(b"\r\n")[0]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://{host}"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/sandbox/reset"), ("POST", "/sandbox/faults"), ("DELETE", "/sandbox/faults")])
def test_another_pages_script_may_change_nothing(box: Sandbox, method: str, path: str, origin: str) -> None:
    box.add_fault({"fault": "unsigned"})
    host = box.url.removeprefix("http://")
    error(ask(box.url, method, path, b'{"fault":"unsigned"}', {"Origin": origin.format(host=host)}), 403, "")
    assert len(box.faults()) == 1


def test_its_own_page_may_change_things_and_anyone_may_read(box: Sandbox) -> None:
    assert ask(box.url, "POST", "/sandbox/reset", headers={"Origin": box.url}).status == 200
    assert ask(box.url, "GET", "/sandbox/passes", headers={"Origin": "http://evil.example"}).status == 200


def test_the_gateways_are_not_called_by_pages_and_ignore_their_origin(hk: Hk) -> None:
    body = json.dumps(hk.body(TICKET, "USED")).encode()
    answer = ask(hk.box.url, "POST", PATH, body, hk.headers(body) | {"Origin": "http://evil.example"})
    assert answer.json["result"]["resultCode"] == "SUCCESS"


# --- bytes ------------------------------------------------------------------------------------------------------------


def raw(box: Sandbox, request: bytes) -> bytes:
    """What a socket says to these bytes until it is closed."""
    host, port = box.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_target_in_absolute_form_is_understood(cn: Cn) -> None:
    params = cn.params({"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"})
    query = encoded({**params, "sign": cn.sign(params)}, "utf-8")
    host = cn.box.url.removeprefix("http://")
    assert cn.node(ask(cn.box.url, "POST", f"http://{host}/gateway.do?{query}"))["code"] == "10000"


def test_alipayhk_signs_the_path_of_a_target_in_absolute_form(hk: Hk) -> None:
    body = json.dumps(hk.body(TICKET, "USED")).encode()
    answer = ask(hk.box.url, "POST", "http://localhost" + PATH, body, hk.headers(body))
    assert hk.verified(answer)


@pytest.mark.parametrize(
    ("target", "status"), [("http://127.0.0.1", 200), ("http://evil.example/", 421), ("http://evil.example/gateway.do", 421)]
)
def test_the_name_in_an_absolute_target_counts_too(box: Sandbox, target: str, status: int) -> None:
    assert ask(box.url, "GET", target, headers={"Host": "127.0.0.1"}).status == status


@pytest.mark.parametrize("path", ["/gateway.do", PATH, "/sandbox/passes"])
def test_a_body_has_an_end(box: Sandbox, path: str) -> None:
    answer = ask(box.url, "POST", path, b" " * (MAX_BODY + 1))
    assert answer.status == 413
    if path.startswith("/sandbox/"):
        error(answer, 413, "")
    else:
        assert answer.headers["content-type"].startswith("text/html")
    assert box.requests() == []


def test_a_body_of_the_full_length_is_read(box: Sandbox) -> None:
    assert ask(box.url, "POST", "/sandbox/guesses", b"{}" + b" " * (MAX_BODY - 2)).status == 200


def test_a_body_that_breaks_off_changes_nothing(box: Sandbox) -> None:
    assert raw(box, b"POST /sandbox/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}") == b""
    assert raw(box, b"POST /gateway.do HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n") == b""
    assert box.requests() == []


def test_what_is_not_http_is_refused_quietly(box: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert b" 400 " in raw(box, b"\x16\x03\x01\r\n\r\n").partition(b"\r\n")[0]
    assert capfd.readouterr() == ("", "")


def test_what_json_cannot_carry_is_refused_from_a_program_too(box: Sandbox) -> None:
    with pytest.raises(BadInput, match="lone surrogate") as caught:
        box.add_passes({"account": "cn", "id": "\ud800", "content": {"a": "\ud800"}})
    assert [problem.path for problem in caught.value.problems] == ["id", "content"]
