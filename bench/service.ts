/**
 * A process that lives through many measurements and is asked things meanwhile: a server, or the load on one.
 * It ends when it is told to, and when the bench that started it is gone.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Service {
  /** @throws Error with what went wrong on the other side. */
  call<Result>(method: string, argument?: unknown): Promise<Result>;
  stop(): Promise<void>;
}

type Methods = Readonly<Record<string, (argument: never) => unknown>>;
type Answer = { readonly result: unknown } | { readonly failure: string };

/** Milliseconds that a service may take to end. */
const STOP_TIMEOUT = 3_000;

/** Starts a script that calls `serve`. @returns when it is ready. */
export async function startService(script: URL, input: unknown): Promise<Service> {
  const child = fork(fileURLToPath(script), [JSON.stringify(input)], {
    execArgv: ["--no-warnings", ...(process.env.BENCH_NODE_FLAGS?.split(" ") ?? [])],
    env: { ...process.env, NODE_ENV: "production" },
    // Servers write their logs, and nobody keeps them.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const name = fileURLToPath(script).split(/[/\\]/).at(-1);
  const waiting: ((answer: Answer) => void)[] = [];
  const failAll = (why: string): void => {
    for (const answer of waiting.splice(0)) answer({ failure: why });
  };
  child.on("message", (answer: Answer) => waiting.shift()?.(answer));
  child.on("error", (error) => failAll(error.message));
  const ended = new Promise<void>((resolve) =>
    child.on("exit", (code, signal) => {
      failAll(`${name} ended with ${signal ?? code}`);
      resolve();
    }),
  );

  function next<Result>(): Promise<Result> {
    return new Promise((resolve, reject) => {
      waiting.push((answer) => {
        if ("failure" in answer) reject(new Error(answer.failure));
        else resolve(answer.result as Result);
      });
    });
  }

  async function stop(): Promise<void> {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT);
    await ended;
    clearTimeout(timer);
  }

  try {
    await next();
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    call(method, argument) {
      const answer = next<never>();
      child.send({ method, argument });
      return answer;
    },
    stop,
  };
}

/** The other side. @param start gets the input and returns what can be asked; a method named `close` is called at the end. */
export async function serve<Input>(start: (input: Input) => Promise<Methods>): Promise<void> {
  const send = (answer: Answer): void => void process.send?.(answer);
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      send({ result: (await work()) ?? null });
    } catch (cause) {
      send({ failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
    }
  };
  let methods: Methods = {};
  process.on("message", ({ method, argument }: { method: string; argument: never }) => {
    void attempt(() => {
      const called = methods[method];
      if (!called) throw new TypeError(`there is no method ${method}`);
      return called(argument);
    });
  });
  process.on("disconnect", async () => {
    await methods.close?.(undefined as never);
    process.exit();
  });
  await attempt(async () => {
    methods = await start(JSON.parse(process.argv[2] ?? "{}") as Input);
  });
}

/** Microseconds of CPU that this process has used, all its threads together. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
