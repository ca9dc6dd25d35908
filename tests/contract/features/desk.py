"""Where a scenario works: one client, the sandbox behind it, and a note of everything that was put to use.

Owns the accounts beyond the sandbox's own. What counts as used is read off the request as it travels, the account's
configuration and the sandbox's log, never off the package's own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from passbridge import Code, Outcome, PassRef, PassUpdate, Redeem, WireRequest
from passbridge.sandbox import Sandbox
from tests.contract.asking import PASSES, Ask
from tests.contract.features.marks import SETTINGS, body_of, of_request, of_settings

__all__ = ["USER", "Desk", "accounts"]

USER: Final = "2160400000000135"

_RETRY: Final = {"attempts": 2, "deadline": 8.0, "connect_timeout": 2.0, "read_timeout": 4.0, "clock_window": 60.0}
_VARIANTS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = MappingProxyType(
    {
        "cn-sha1": ("cn", {"sign_type": "RSA"}),
        "cn-gbk": ("cn", {"charset": "gbk"}),
        "cn-any-text": ("cn", {"gbk_check": False}),
        "cn-query": ("cn", {"resolve": "query"}),
        "cn-fetch": ("cn-cert", {"cert_download": True}),
        "cn-aes-v2": ("cn-aes", {"encrypt_type": "AES_V2"}),
        "hk-hasty": ("hk-tickets", {"retry": _RETRY}),
        "cn-hasty": ("cn", {"retry": _RETRY}),
        "hk-ecc-224": ("hk-ecc", {"ecc_hash": "SHA224"}),
        "hk-ecc-256": ("hk-ecc", {"ecc_hash": "SHA256"}),
        "hk-oaep-1": ("hk-encrypted", {"encryption": {"wrap": "OAEP-SHA1"}}),
        "hk-oaep-256": ("hk-encrypted", {"encryption": {"wrap": "OAEP-SHA256"}}),
        "hk-json": ("hk-encrypted", {"encryption": {"content_type": "application/json", "key_version": "1"}}),
    }
)
"""By name: the sandbox's account it is made from, and what is set otherwise."""


def accounts(box: Sandbox) -> dict[str, dict[str, Any]]:
    """Every account's configuration by its name."""
    own: dict[str, dict[str, Any]] = box.config(all_accounts=True)["accounts"]
    return own | {name: {**own[base], **changes} for name, (base, changes) in _VARIANTS.items()}


class Desk:
    """One client with every account.

    Attributes:
        box: the sandbox.
        folder: for files.
        accounts: every account's configuration.
        used: the marks met so far.
    """

    def __init__(self, make: Callable[..., Any], ask: Ask, box: Sandbox, folder: Path, accounts: Mapping[str, dict[str, Any]]) -> None:
        self.box, self.folder, self.accounts = box, folder, accounts
        self.used: set[str] = set()
        self._make, self._ask = make, ask

    def apply(self, update: PassUpdate, after: Outcome | None = None) -> Outcome:
        """Send one update; what it carried is noted only if the gateway carried it out."""
        rendered, before = self._ask.render(update), len(self.box.requests())
        outcome = self._ask.apply(update, after)
        if outcome.code is Code.APPLIED:
            self._note(outcome.account, self._taken(outcome.account, before))
            self.used |= of_request(self._profile(outcome.account), rendered)
        if outcome.native:
            self.used |= {f"Native.{name}" for name, value in outcome.native if value is not None}
        return outcome

    def applied(self, update: PassUpdate) -> dict[str, Any]:
        """Send one update, which has to be carried out at once; the pass as the sandbox has it then."""
        outcome = self.apply(update)
        assert (outcome.code, outcome.certain, len(outcome.attempts)) == (Code.APPLIED, True, 1), outcome
        return self.kept(str(outcome.account), update.pass_.id)

    def redeems(self, *accounts: str) -> None:
        """Redeem a pass of each account; the sandbox is as new afterwards."""
        for account in accounts:
            assert self.applied(Redeem(to=account, pass_=self.stocked(account)))["state"] == "USED"
            self.box.reset()

    def told(self, account: str, fault: str) -> Code:
        """What comes of a redeem, the sandbox as new, whose answer is garbled so."""
        self.box.reset()
        pass_ = self.stocked(account)
        self.box.add_fault({"fault": fault})
        return self.apply(Redeem(to=account, pass_=pass_)).code

    def render(self, update: PassUpdate) -> WireRequest:
        """The update as it would travel."""
        return self._ask.render(update)

    def body(self, update: PassUpdate) -> dict[str, Any]:
        """What the gateway would be told of it."""
        return body_of(self._profile(update.to), self.render(update))

    def call(self, account: str, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        answer = self._ask.call(account, path, body)
        self._note(account, {f"hk/{path.rsplit('/', 1)[-1]}"})
        return answer

    def execute(self, account: str, request: object) -> Any:  # noqa: ANN401 - the kit's response object
        answer = self._ask.execute(account, request)
        self._note(account, {f"mainland/{request.get_params()['method']}"})  # type: ignore[attr-defined]  # the kit has no types
        return answer

    def stocked(self, account: str) -> PassRef:
        """A pass of the account's: its first one, or a new one."""
        base = _VARIANTS.get(account, (account,))[0]
        if base in PASSES:
            return PASSES[base]
        user = {"user_id": USER} if account.startswith("hk") else {}
        self.box.add_passes([{"account": base, "id": "1", **user}])
        return PassRef(id="1", **user)

    def kept(self, account: str, id_: str) -> dict[str, Any]:
        """A pass as the sandbox has it."""
        base = _VARIANTS.get(account, (account,))[0]
        (found,) = [dict(one) for one in self.box.passes() if (one["account"], one["id"]) == (base, id_)]
        return found

    @contextmanager
    def opened(self, config: Mapping[str, Any], **given: object) -> Iterator[Desk]:
        """Another client of the same kind; what it uses is noted here too."""
        ask = self._make({"default": next(iter(config["accounts"])), **config}, **given)
        other = Desk(self._make, ask, self.box, self.folder, config["accounts"])
        other.used = self.used
        self.used |= {f"MappingsSettings.{name}" for name in config.get("mappings", {})}
        try:
            yield other
        finally:
            ask.close()

    def _note(self, account: str | None, marks: set[str]) -> None:
        settings = self.accounts[str(account)]
        self.used |= marks | of_settings(SETTINGS[settings["backend"]], settings)

    def _taken(self, account: str | None, before: int) -> set[str]:
        """The update's API, by the sandbox's word: rightly signed, and carried out."""
        base = _VARIANTS.get(str(account), (account,))[0]
        lines = self.box.requests()[before:]
        assert any((line["account"], line["signature"], line["applied"]) == (base, "ok", True) for line in lines), lines
        return {"hk/updatePass" if lines[0]["gateway"] == "hk" else "mainland/alipay.pass.instance.update"}

    def _profile(self, account: str | None) -> str:
        settings = self.accounts[str(account)]
        return f"{settings['backend']}.{settings.get('profile', 'pass')}"
