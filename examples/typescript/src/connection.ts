// A connection to the service, from the protos as they are.

import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";

import type { ProtoGrpcType } from "./generated/brief.js";
import type { BriefServiceClient } from "./generated/depesche/v1/BriefService.js";

// Where Depesche's protos lie, and those of Google's that they import.
const protos = fileURLToPath(new URL("../../../proto", import.meta.url));
const googles = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

// The options are those of `npm run types` in package.json.
export const definition = loader.loadSync(
  ["depesche/v1/brief.proto", "google/rpc/error_details.proto", "google/rpc/status.proto"],
  { includeDirs: [protos, googles], longs: Number, enums: String, defaults: true, oneofs: true },
);

// A call that is refused, or lost before any reply, is made again, elsewhere if the name stands for
// several servers. One that says when to come again (grpc-retry-pushback-ms) is obeyed.
const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.2s",
        maxBackoff: "5s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
      },
    },
  ],
};

/** Connects to a service; the first call opens the connection. With `root`, a PEM, by TLS. */
export function connect(target: string, root?: Buffer): BriefServiceClient {
  const { depesche } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  const security = root ? grpc.credentials.createSsl(root) : grpc.credentials.createInsecure();
  return new depesche.v1.BriefService(target, security, {
    "grpc.service_config": JSON.stringify(serviceConfig),
    "grpc.max_receive_message_length": -1, // a long release's brief may exceed 4 MiB
    "grpc.keepalive_time_ms": 15_000, // a frozen server is noticed; not under 10 seconds
    "grpc.keepalive_timeout_ms": 10_000,
  });
}
