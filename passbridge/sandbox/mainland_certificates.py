"""The mainland's `alipay.open.app.alipaycert.download`: the gateway's certificate of a serial number.

Owns what is handed out to whom. It must not know how certificates are made.
"""

from __future__ import annotations

import base64
from typing import Final

from passbridge.sandbox.mainland_api import Api, Case, Refusal, Ruling

__all__ = ["DOWNLOAD"]


def _judge(case: Case) -> Ruling:
    """Only an app in certificate mode has any use for one."""
    wanted = case.biz.get("alipay_cert_sn")
    uses = "CERT" in (case.world.store.app_keys("mainland", case.app) or {})
    found = next((seal for seal in case.world.papers.seals if seal.serial == wanted), None) if uses else None
    if found is None:
        return Ruling(Refusal("isv.alipay-cert-not-exist"))
    return Ruling(None, {"alipay_cert_content": base64.b64encode(found.chain).decode()})


DOWNLOAD: Final = Api(_judge, serial=lambda _biz: None)
"""`alipay.open.app.alipaycert.download`."""
