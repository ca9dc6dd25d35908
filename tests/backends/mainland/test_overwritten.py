"""Another distribution's package `alipay` in the official kit's place: told at the first use, with its mend.

First in a process of its own, where all is as a merchant has it. Then in this one, where what reads the branches can see
it; Python imports a module once, so the module that reads the kit is taken out of `sys.modules`, and nothing else of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from passbridge import ConfigError, PassRef, Redeem
from passbridge.backends import mainland
from tests.backends.mainland.desk import NOW, opened

FOREIGN = """
import sys
from passbridge import Client, ConfigError, PassRef, Redeem
keys = {name: open(path, "rb").read() for name, path in (("private_key", sys.argv[1]), ("gateway_public_key", sys.argv[2]))}
account = {"backend": "mainland", "gateway": "https://openapi.alipay.com/gateway.do", "app_id": "1", "channel_id": "2", **keys}
assert "alipay" not in sys.modules
with Client.from_config({"accounts": {"cn": account}}) as client:
    assert "alipay" not in sys.modules
    for ask in (lambda: client.render(Redeem(to="cn", pass_=PassRef(id="1"))), lambda: client.execute("cn", object())):
        try:
            ask()
        except ConfigError as error:
            (problem,) = error.problems
            print(problem.path, "|", problem.code, "|", problem.message, "|", problem.mend)
"""


REINSTALL = "another distribution (python-alipay-sdk) overwrote it: uninstall that, then pip install --force-reinstall alipay-sdk-python"


def test_an_overwritten_package_is_told_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "alipay").mkdir()
    (tmp_path / "alipay" / "__init__.py").write_text("class AliPay: ...\n")
    keys = [str(Path(__file__).parents[2] / "vectors" / "keys" / f"{name}.pem") for name in ("cn-app", "cn-gateway-public")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", FOREIGN, *keys], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    message = "the package alipay is not alipay-sdk-python's: No module named 'alipay.aop'"
    assert done.stdout == f"alipay-sdk-python | overwritten | {message} | {REINSTALL}\n" * 2


def test_it_is_told_at_the_first_use_of_an_account_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "passbridge.backends.mainland.sdk", raising=False)
    monkeypatch.delattr(mainland, "sdk", raising=False)
    monkeypatch.setitem(sys.modules, "alipay.aop.api.domain.AlipayPassInstanceUpdateModel", None)
    gateway = opened()
    with pytest.raises(ConfigError) as caught:
        gateway.prepare(Redeem(pass_=PassRef(id="1")), NOW)
    (problem,) = caught.value.problems
    assert (problem.path, problem.code, problem.mend) == ("alipay-sdk-python", "overwritten", REINSTALL)
    assert problem.message.startswith("the package alipay is not alipay-sdk-python's: import of alipay.aop.api.domain.")
    assert caught.value.__suppress_context__
