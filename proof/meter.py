"""Counts calls and documents: stands between a Firestore client and the emulator and passes everything on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

_SERVICE = "/google.firestore.v1.Firestore/"
_STREAMS: dict[str, tuple[Any, Any]] = {
    "BatchGetDocuments": (
        types.BatchGetDocumentsRequest,
        types.BatchGetDocumentsResponse,
    ),
    "RunQuery": (types.RunQueryRequest, types.RunQueryResponse),
    "RunAggregationQuery": (
        types.RunAggregationQueryRequest,
        types.RunAggregationQueryResponse,
    ),
}
_PASSED_ON = ("authorization", "google-cloud-resource-prefix", "x-goog-request-params")


@dataclass
class Call:
    """One call: `read` counts documents looked up by name (there or not) and found by a query.

    `billed` is what Firestore charges for it: a query without a result, and a count, cost one read.
    """

    method: str
    read: int = 0
    billed: int = 0
    written: int = 0
    deleted: int = 0
    query: Any = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """What one operation cost."""

    reads: int
    billed: int
    writes: int
    deletes: int
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """`5 read, 3 written in 7 calls`."""
        deleted = f", {self.deletes} deleted" if self.deletes else ""
        return f"{self.reads} read, {self.writes} written{deleted} in {sum(self.calls.values())} calls"


class Meter(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc carries no types
    """`host` is for FIRESTORE_EMULATOR_HOST; `made` lists the calls since `reset`."""

    def __init__(self, emulator_host: str, delay: float = 0.0) -> None:
        """`delay`: seconds that each call takes longer, as if Firestore were that far away."""
        self._delay = delay
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ]
        self._channel = grpc.insecure_channel(emulator_host, options=options)
        self._server = grpc.server(
            ThreadPoolExecutor(48), handlers=[self], options=options
        )
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._lock = threading.Lock()
        self.made: list[Call] = []

    def __enter__(self) -> Meter:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(grace=None).wait()
        self._channel.close()

    def reset(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self.made = []

    def counts(self) -> Counts:
        """What was counted since `reset`."""
        with self._lock:
            made = list(self.made)
        return Counts(
            reads=sum(call.read for call in made),
            billed=sum(call.billed for call in made),
            writes=sum(call.written for call in made),
            deletes=sum(call.deleted for call in made),
            calls=dict(Counter(call.method for call in made)),
        )

    def queries(self) -> list[Any]:
        """Every structured query since `reset`, those that only count included."""
        with self._lock:
            return [call.query for call in self.made if call.query is not None]

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler | None:
        """Called by gRPC for each call that comes in."""
        path = handler_call_details.method
        method = path.removeprefix(_SERVICE)
        if method in _STREAMS:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._stream(path, method, request, context)
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._unary(path, method, request, context)
        )

    def _unary(self, path: str, method: str, request: bytes, context: Any) -> bytes:
        call = Call(method)
        if method == "Commit":
            for write in types.CommitRequest.deserialize(request).writes:
                call.deleted += bool(write.delete)
                call.written += not write.delete
        answer: bytes = self._passed(
            self._channel.unary_unary(path), request, context, call
        )
        return answer

    def _passed(self, send: Any, request: bytes, context: Any, call: Call) -> Any:
        self._noted(call)
        try:
            return send(request, metadata=_metadata(context))
        except grpc.RpcError as error:
            call.written = call.deleted = (
                0  # all or nothing: a lost race writes nothing
            )
            context.abort(error.code(), error.details())

    def _noted(self, call: Call) -> None:
        with self._lock:
            self.made.append(call)
        if self._delay:
            time.sleep(self._delay)

    def _stream(
        self, path: str, method: str, request: bytes, context: Any
    ) -> Iterator[bytes]:
        asked, answered = _STREAMS[method]
        parsed = asked.deserialize(request)
        call = Call(
            method, query=_query(parsed), names=tuple(getattr(parsed, "documents", ()))
        )
        self._noted(call)
        try:
            for answer in self._channel.unary_stream(path)(
                request, metadata=_metadata(context)
            ):
                part = answered.deserialize(answer)
                call.read += _documents(method, part)
                yield answer
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        finally:
            call.billed = (
                call.read if method == "BatchGetDocuments" else max(1, call.read)
            )


def _documents(method: str, part: Any) -> int:
    if method == "BatchGetDocuments":
        return int("found" in part or "missing" in part)
    return int(method == "RunQuery" and "document" in part)


def _query(asked: Any) -> Any:
    if isinstance(asked, types.RunAggregationQueryRequest):
        return asked.structured_aggregation_query.structured_query
    return asked.structured_query if isinstance(asked, types.RunQueryRequest) else None


def _metadata(context: Any) -> list[tuple[str, str]]:
    """What the client sent along, such as the emulator's `Bearer owner`."""
    return [
        (name, value)
        for name, value in context.invocation_metadata()
        if name in _PASSED_ON
    ]
