"""Counts what the service reads and writes: passes its calls on to the emulator and looks into the answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsResponse,
    RunAggregationQueryResponse,
    RunQueryResponse,
)

_SERVICE = "/google.firestore.v1.Firestore/"
_ANSWERS: dict[str, Any] = {
    "RunQuery": RunQueryResponse,
    "RunAggregationQuery": RunAggregationQueryResponse,
    "BatchGetDocuments": BatchGetDocumentsResponse,
}


class Meter(grpc.GenericRpcHandler):  # type: ignore[misc] # untyped base
    """`host` is for FIRESTORE_EMULATOR_HOST; `documents` and `calls` are counts since `reset`."""

    def __init__(self, emulator_host: str) -> None:
        self._channel = grpc.insecure_channel(emulator_host)
        self._server = grpc.server(ThreadPoolExecutor(8), handlers=[self])
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self.reset()

    def reset(self) -> None:
        self.documents = self.calls = 0

    def __enter__(self) -> "Meter":
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()
        self._channel.close()

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler | None:
        method = handler_call_details.method
        if method.removeprefix(_SERVICE) in _ANSWERS:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._stream(method, request, context)
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._channel.unary_unary(method)(request, metadata=_metadata(context))
        )

    def _stream(self, method: str, request: bytes, context: Any) -> Iterator[bytes]:
        self.calls += 1
        kind = _ANSWERS[method.removeprefix(_SERVICE)]
        for answer in self._channel.unary_stream(method)(request, metadata=_metadata(context)):
            read = kind.deserialize(answer)
            self.documents += bool(getattr(read, "document", None) or getattr(read, "found", None))
            yield answer


def _metadata(context: Any) -> list[tuple[str, str]]:
    """What the client sent along, such as the emulator's `Bearer owner`."""
    ours = ("authorization", "google-cloud-resource-prefix", "x-goog-request-params")
    return [(name, value) for name, value in context.invocation_metadata() if name in ours]
