"""What Xero's scopes allow, in words for the user who grants them."""

from __future__ import annotations

from collections.abc import Mapping

_ACCOUNTING = {
    "transactions": "invoices, bills, bank transactions and other transactions",
    "contacts": "your contacts",
    "settings": "the chart of accounts, tax rates and other settings",
    "attachments": "files attached to your records",
}
_PAYROLL = {
    "employees": "employees",
    "payruns": "pay runs",
    "payslip": "payslips",
    "settings": "payroll settings",
    "timesheets": "timesheets",
}
_OTHERS = {"files": "your files", "assets": "your fixed assets", "projects": "your projects"}


def _both(scope: str, what: str) -> dict[str, str]:
    """A scope, and its twin that only reads."""
    return {scope: f"See and change {what}", f"{scope}.read": f"See {what}"}


def _table() -> dict[str, str]:
    texts = {
        "offline_access": "Stay connected, until you disconnect it",
        "openid": "Know that it is you who connects",
        "profile": "See your name",
        "email": "See your e-mail address",
        "accounting.reports.read": "See your reports",
        "accounting.reports.tenninetynine.read": "See your 1099 reports",
        "accounting.journals.read": "See your journals",
        "accounting.budgets.read": "See your budgets",
    }
    for name, what in _ACCOUNTING.items():
        texts |= _both(f"accounting.{name}", what)
    for name, what in _PAYROLL.items():
        texts |= _both(f"payroll.{name}", what)
    for name, what in _OTHERS.items():
        texts |= _both(name, what)
    return texts


SCOPES: Mapping[str, str] = _table()
