"""What an earlier process left behind when it died: taken care of when a run begins, and told."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.ledger.recovery import Recovered
from migrator.ledger.unfinished_exports import Fate
from migrator.terminal.printable import printable
from migrator.wording import counted

_EXPORTS = {
    Fate.HANDED_OVER: "the export to {target} was whole when its process ended: it counts",
    Fate.NOT_HANDED_OVER: "the export to {target} was not whole when its process ended: it does not count",
    Fate.UNKNOWN: "nobody knows what became of the export to {target}, whose process ended:"
    " its pairs are left alone until they are exported again",
    Fate.TO_BE_ASKED: "the export to {target} was under way when its process ended: the next"
    " 'migrator export --to' there asks the database what arrived; its pairs are left alone until then",
}


def messages(stock: Recovered, pairs: int, renewals: int) -> Iterator[str]:
    """What to say of it. ``pairs`` and ``renewals`` were in answers that could only be read now."""
    if stock.rescued:
        yield counted(
            stock.rescued,
            "answer from the rescue file is in the ledger now",
            "answers from the rescue file are in the ledger now",
        )
    if stock.open_calls:
        yield (
            counted(stock.open_calls, "call was", "calls were")
            + " under way when an earlier process ended: asked again"
        )
    if stock.consents:
        yield (
            counted(stock.consents, "consent was", "consents were")
            + " under way when 'reconsent serve' ended: whose it was clicks once more"
        )
    if pairs:
        yield (
            counted(pairs, "answer that was", "answers that were")
            + " not understood at the time held a pair: it is seen to work before it counts"
        )
    if renewals:
        yield (
            counted(renewals, "answer that was", "answers that were")
            + " not understood at the time held a renewed token: that is swapped next"
        )
    for target, fate in stock.exports:
        yield _EXPORTS[fate].format(target=printable(target))
