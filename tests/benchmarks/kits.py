"""The official kits doing the same updates, led to the responder: neither can speak to a port of its own choice.

What they would do for TLS (a connection and, AlipayHK's, a trust store read anew for each call) is left out, which
favours them.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient as MainlandClient
from alipay.aop.api.domain.AlipayPassInstanceUpdateModel import AlipayPassInstanceUpdateModel
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest
from com.alipay.ams.api.default_alipay_client import DefaultAlipayClient as GlobalClient
from com.alipay.ams.api.request.alipay_request import AlipayRequest

from tests.benchmarks.measure import Contender
from tests.benchmarks.world import CLIENT_ID, PATH, World

__all__ = ["kits"]


def kits(world: World, region: str) -> Iterator[Contender]:
    """The region's official kit, one update after the other."""
    if region == "hk":
        body = world.rendered("hk").body.decode()
        yield Contender(region, "global-open-sdk-python", partial(_global, world, body))
    else:
        body = world.rendered("cn").body.decode()
        yield Contender(region, "alipay-sdk-python", partial(_mainland, world, json.loads(dict(parse_qsl(body))["biz_content"])))


def _global(world: World, body: str, count: int) -> None:
    class Request(AlipayRequest):  # type: ignore[misc]  # the kit has no types
        """`updatePass`, which the kit knows no class for."""

        def to_ams_json(self) -> str:
            return body

    client = GlobalClient(world.url, CLIENT_ID, world.private_pem.decode(), world.public_pem.decode())
    with patch("com.alipay.ams.api.net.default_http_rpc.__get_http_connection", _connection):
        for _ in range(count):
            if json.loads(client.execute(Request(PATH)))["result"]["resultCode"] != "SUCCESS":
                raise RuntimeError("not applied")


def _mainland(world: World, content: dict[str, Any], count: int) -> None:
    config = AlipayClientConfig()
    config.server_url, config.app_id = f"{world.url}/gateway.do", "2014072300007148"
    config.app_private_key, config.alipay_public_key = world.private_pem.decode(), world.public_pem.decode()
    client = MainlandClient(config)
    with patch("alipay.aop.api.util.WebUtils.get_http_connection", _connection_and_target):
        for _ in range(count):
            model = AlipayPassInstanceUpdateModel()
            for name, value in content.items():
                setattr(model, name, value)
            if json.loads(client.execute(AlipayPassInstanceUpdateRequest(biz_model=model)))["code"] != "10000":
                raise RuntimeError("not applied")


def _connection(url: str, timeout: float = 15) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=timeout)


def _connection_and_target(url: str, query: str, timeout: float) -> tuple[str, http.client.HTTPConnection]:
    return f"{url}?{query}", _connection(url, timeout)
