/** Settings of connections, of the way down, and of what operators look at. */

export interface OperationsConfig {
  /** Connections at once; one more is closed at once. */
  readonly maxConnections: number;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Seconds, all of them. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly drainDelay: number;
  readonly drainTimeout: number;
  /** Credentials that /metrics on the public port takes; none: it is not there. */
  readonly metricsTokens: readonly string[];
  /** The port of a listener for /metrics, /livez and /readyz alone; `undefined`: none. */
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  readonly tracing: boolean;
}

const wholeNumber =
  (min: number, max: number, unit = 1) =>
  (value: string): number => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new Error(`must be a whole number from ${min} to ${max}, not ${quote(value)}`);
    }
    return Number(value) * unit;
  };

function onOrOff(value: string): boolean {
  if (value !== "on" && value !== "off") throw new Error(`must be one of on, off, not ${quote(value)}`);
  return value === "on";
}

/** Credentials of services: random texts. */
export function readCredentials(value: string): readonly string[] {
  const tokens = value
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
  for (const token of tokens) {
    if (!/^[A-Za-z0-9._~+/=-]{32,}$/.test(token)) {
      throw new Error(
        "must be random texts of 32 characters or more (letters, digits and ._~+/=-), with commas between",
      );
    }
  }
  return tokens;
}

const quote = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);

/** Rows of the table of settings. */
export const OPERATIONS_VARIABLES = [
  {
    name: "LATCHKEY_MAX_CONNECTIONS",
    key: "maxConnections",
    fallback: "10000",
    description: "Connections at once (1 to 1000000); one more is closed at once.",
    read: wholeNumber(1, 1_000_000),
  },
  {
    name: "LATCHKEY_BODY_LIMIT_KIB",
    key: "bodyLimit",
    fallback: "64",
    description:
      "The longest body of a request, in KiB (4 to 1024); nothing that the API takes needs more than the default.",
    read: wholeNumber(4, 1024, 1024),
  },
  {
    name: "LATCHKEY_HEADERS_TIMEOUT_SECONDS",
    key: "headersTimeout",
    fallback: "10",
    description: "How long the head of a request may take (1 to 120 seconds).",
    read: wholeNumber(1, 120),
  },
  {
    name: "LATCHKEY_REQUEST_TIMEOUT_SECONDS",
    key: "requestTimeout",
    fallback: "30",
    description: "How long a whole request may take to arrive (1 to 600 seconds).",
    read: wholeNumber(1, 600),
  },
  {
    name: "LATCHKEY_KEEP_ALIVE_SECONDS",
    key: "keepAliveTimeout",
    fallback: "65",
    description:
      "How long an idle connection is kept (1 to 600 seconds); longer than your proxy keeps its own, so that the proxy closes first.",
    read: wholeNumber(1, 600),
  },
  {
    name: "LATCHKEY_DRAIN_DELAY_SECONDS",
    key: "drainDelay",
    fallback: "0",
    description:
      "After SIGTERM, how long connections are still taken while /readyz says 503 (0 to 300 seconds): as long as your balancer takes to notice.",
    read: wholeNumber(0, 300),
  },
  {
    name: "LATCHKEY_DRAIN_TIMEOUT_SECONDS",
    key: "drainTimeout",
    fallback: "10",
    description: "How long requests under way may then take to end (1 to 300 seconds).",
    read: wholeNumber(1, 300),
  },
  {
    name: "LATCHKEY_METRICS_TOKENS",
    key: "metricsTokens",
    fallback: "",
    isSecret: true,
    description:
      "Credentials for GET /metrics (Authorization: Bearer …): random texts of 32 characters or more, with commas between. Default: none, and /metrics is not there.",
    read: readCredentials,
  },
  {
    name: "LATCHKEY_METRICS_PORT",
    key: "metricsPort",
    description:
      "A port of its own for /metrics, /livez and /readyz, without credentials: for a network that strangers do not reach. 0 takes any free one. Default: none.",
    read: wholeNumber(0, 65_535),
  },
  {
    name: "LATCHKEY_METRICS_HOST",
    key: "metricsHost",
    fallback: "127.0.0.1",
    description: "The address of that port.",
    read: (value: string) => value,
  },
  {
    name: "LATCHKEY_TRACING",
    key: "tracing",
    fallback: "off",
    description:
      "Whether to make spans of OpenTelemetry (on or off), for an SDK that is loaded before: node --import ./tracing.js …; see docs/metrics.md.",
    read: onOrOff,
  },
] as const satisfies readonly {
  name: string;
  key: keyof OperationsConfig;
  fallback?: string;
  isSecret?: true;
  description: string;
  read(text: string): unknown;
}[];
