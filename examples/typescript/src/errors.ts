// The service's errors, read from the status of a call and its details.

import * as grpc from "@grpc/grpc-js";
import type { MessageTypeDefinition } from "@grpc/proto-loader";

import { definition } from "./connection.js";
import type { BadRequest__Output } from "./generated/google/rpc/BadRequest.js";
import type { ErrorInfo__Output } from "./generated/google/rpc/ErrorInfo.js";
import type { RetryInfo__Output } from "./generated/google/rpc/RetryInfo.js";
import type { Status__Output } from "./generated/google/rpc/Status.js";

/** What the service says of a call that failed; docs/api.md lists the reasons. */
export class DepescheError extends Error {
  constructor(
    message: string,
    /** The class of the error, such as `InvalidRequest`; the status' name where nobody says. */
    readonly reason: string,
    /** The fields of the request that break a rule, and the rules. */
    readonly violations: { field: string; description: string }[],
    /** Seconds after which to come again, if the service says so. */
    readonly retryAfter: number | undefined,
    /** The call's id in the service's log, or "". */
    readonly requestId: string,
  ) {
    super(message);
  }

  static from(error: grpc.ServiceError): DepescheError {
    const details = detailsOf(error.metadata);
    const info = details.get("google.rpc.ErrorInfo") as ErrorInfo__Output | undefined;
    const bad = details.get("google.rpc.BadRequest") as BadRequest__Output | undefined;
    const delay = (details.get("google.rpc.RetryInfo") as RetryInfo__Output | undefined)?.retryDelay;
    return new DepescheError(
      error.details,
      info?.domain === "depesche" ? info.reason : (grpc.status[error.code] ?? "UNKNOWN"),
      bad?.fieldViolations ?? [],
      delay ? delay.seconds + delay.nanos / 1e9 : undefined,
      String(error.metadata.get("x-request-id")[0] ?? ""),
    );
  }
}

/** Decodes the details of a status, by the full names of their types. */
function detailsOf(metadata: grpc.Metadata): Map<string, object> {
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) return new Map();
  const status = decode("google.rpc.Status", bytes) as Status__Output;
  return new Map(
    status.details
      .map((any) => [any.type_url.split("/").at(-1) ?? "", any.value] as const)
      .filter(([name]) => name in definition)
      .map(([name, value]) => [name, decode(name, value as Buffer)]),
  );
}

function decode(name: string, bytes: Buffer): object {
  return (definition[name] as MessageTypeDefinition<object, object>).deserialize(bytes);
}
