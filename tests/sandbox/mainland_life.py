"""A template as the official test suite writes one, and the requests of a pass's life."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.conftest import CHANNEL, Cn

ADD = "alipay.pass.template.add"
CHANGE = "alipay.pass.template.update"
ISSUE = "alipay.pass.instance.add"
UPDATE = "alipay.pass.instance.update"
QUERY = "alipay.marketing.pass.instance.query"

NULL = "KP.AE_ALIPASS_PARAME_IS_NULL"
INVALID = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"
MALFORMED = "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"
NOT_GBK = "KP.AE_ALIPASS_CHAR_NOT_GBK"
NO_SUPPORT = "KP.AE_ALIPASS_APPID_NOSUPPORT"
NOT_EXIST = "KP.AE_ALIPASS_NOTEXIST"

USER = "2088102146225135"
RECIPIENT = {"user_id": USER, "user_token": "token of the callback"}
PARAMS = {"title": "登机牌", "serialNumber": "2020012013520759738677158", "channelID": CHANNEL, "end": "2099-01-25 13:45:56", "gate": "A1"}
NAMES = ["title", "end", "gate", "channelID", "serialNumber"]


def template(**file_info: object) -> dict[str, Any]:
    """A boarding pass: three of its fields are parameters beside those that say which pass it is."""
    return {
        "logo": "http://img.example/logo.png",
        "strip": None,
        "content": {
            "evoucherInfo": {
                "title": "$title$",
                "type": "boardingPass",
                "product": "air",
                "startDate": "2020-01-20 13:45:56",
                "endDate": "$end$",
                "operation": [{"format": "img", "message": "http://img.example/code.png"}],
                "einfo": {"logoText": "$title$", "headFields": [{"key": "gate", "value": "$gate$"}, {"key": "price", "value": "$ 10"}]},
            },
            "platform": {"channelID": "$channelID$"},
            "fileInfo": {"formatVersion": "2", "serialNumber": "$serialNumber$", **file_info},
        },
    }


def made(cn: Cn, content: object = None, unique: str = "1") -> str:
    """The id of a new template."""
    node = cn.call(ADD, {"unique_id": unique, "tpl_content": json.dumps(content or template())})
    assert node["code"] == "10000"
    identity: str = node["result"]["tpl_id"]
    return identity


def issue(cn: Cn, tpl_id: str, **changes: object) -> dict[str, Any]:
    """The answer to an issue with the usual parameters, some of them changed; `...` takes one away."""
    params = {name: value for name, value in {**PARAMS, **changes}.items() if value is not ...}
    biz = {"tpl_id": tpl_id, "tpl_params": json.dumps(params), "recognition_type": "2", "recognition_info": json.dumps(RECIPIENT)}
    return cn.call(ISSUE, biz)


def sub_code(node: dict[str, Any]) -> str:
    code: str = node.get("sub_code", node["code"])
    return code
