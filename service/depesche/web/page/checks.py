"""Edits checked by the service, so that no export rests on what a page says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc.aio
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from depesche.v1 import fidelity_pb2, fidelity_pb2_grpc, types_pb2
from depesche.web.calls import Caller
from depesche.web.events import unless_gone
from depesche.web.page.drafts import HEADLINE, Draft, Edit, Place, sentence_at
from depesche.web.refusals import Refusal, of_call
from depesche.web.resources import Exchange

__all__ = ["CheckedEdit", "Checks", "question"]


@dataclass(frozen=True, slots=True)
class CheckedEdit:
    """An edit and what is wrong with it.

    Attributes:
        place: which sentence of the brief.
        before: how it read.
        after: how it reads now.
        findings: what the checks find wrong with it now.
    """

    place: Place
    before: str
    after: str
    findings: Sequence[types_pb2.Finding]


class Checks:
    """Has the service check edits."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._stub: Any = fidelity_pb2_grpc.FidelityServiceStub(caller.channel)  # type: ignore[no-untyped-call]

    async def check(self, exchange: Exchange, draft: Draft) -> tuple[CheckedEdit, ...]:
        """Check all edits of a draft, in the name of who sent it.

        Raises:
            Refusal: an edit breaks a rule, or the service can't check it; fields are the draft's.
            ClientDisconnect: the client has gone.
        """
        options = self._caller.options(exchange)
        return tuple(
            [await self._check(exchange, draft.brief, edit, options) for edit in draft.edits]
        )

    async def _check(
        self, exchange: Exchange, brief: types_pb2.Brief, edit: Edit, options: Mapping[str, Any]
    ) -> CheckedEdit:
        call = self._stub.CheckSentence(question(brief, edit), **options)
        try:
            reply = await unless_gone(call, exchange.request.receive)
        except grpc.aio.AioRpcError as error:
            raise _renamed(of_call(error), edit) from None
        finally:
            call.cancel()
        before = sentence_at(brief, edit.place).text
        return CheckedEdit(edit.place, before, edit.text, tuple(reply.findings))


def question(brief: types_pb2.Brief, edit: Edit) -> fidelity_pb2.CheckSentenceRequest:
    """Ask whether an edit is true to what its sentence rests on.

    That is the originals; for a sentence of a summary model, which nobody asks to hold all of
    them, their English. A headline may leave things out.
    """
    sentence = sentence_at(brief, edit.place)
    by_index = {translated.index: translated for translated in brief.translation}
    rests_on = [by_index[index] for index in sentence.sentence_indices]
    if sentence.strategy == types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE:
        language, sources = "en", [translated.text for translated in rests_on]
    else:
        language = brief.detection.language
        sources = [translated.normalised_source for translated in rests_on]
    return fidelity_pb2.CheckSentenceRequest(
        text=edit.text,
        language=language,
        sources=sources,
        abridged=edit.place == HEADLINE,
        glossary=[use.term for use in brief.glossary],
    )


def _renamed(refusal: Refusal, edit: Edit) -> Refusal:
    """Name the fields of a refused check as the draft has them."""
    names = {
        "text": f"edits[{edit.number}].text",
        "language": "brief.detection.language",
        "sources": "brief.translation",
    }
    status = Status()
    status.CopyFrom(refusal.status)
    for detail in status.details:
        bad = BadRequest()
        if detail.Unpack(bad):
            for violation in bad.field_violations:
                violation.field = names.get(violation.field, violation.field)
            detail.Pack(bad)
            found = bad.field_violations
            status.message = "; ".join(f"{v.field}: {v.description}" for v in found)
    return Refusal(status, refusal.http, refusal.headers)
