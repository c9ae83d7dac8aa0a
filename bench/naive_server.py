"""The server that one writes first: each text is one call of the model, on the server's threads.

Run by bench/throughput.py as the yardstick of what batching across requests brings. It speaks the
same protocol and prints its address.
"""
# ruff: noqa: N802 - the contract names its RPCs

import asyncio
from typing import Any

import grpc
from loaded import default_backend

from depesche.config import Settings
from depesche.v1 import translation_pb2, translation_pb2_grpc, types_pb2


class Naive(translation_pb2_grpc.TranslationServiceServicer):
    """Translates the text of a request as one segment."""

    def __init__(self) -> None:
        settings = Settings()
        self._backend = default_backend(settings)

    async def Translate(
        self, request: translation_pb2.TranslateRequest, context: Any
    ) -> translation_pb2.TranslateResponse:
        """Translate one text by one call."""
        del context
        lines = request.release.text.split("\n")
        texts = [await asyncio.to_thread(self._translate, line) for line in lines]
        return translation_pb2.TranslateResponse(
            translation=[types_pb2.TranslatedSentence(text=text) for text in texts]
        )

    def _translate(self, text: str) -> str:
        tokens = self._backend.tokenize(text)
        return self._backend.translate([tokens], beam_size=1)[0].text


async def main() -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    translation_pb2_grpc.add_TranslationServiceServicer_to_server(Naive(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f'{{"listen": "127.0.0.1:{port}", "metrics": ""}}', flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
