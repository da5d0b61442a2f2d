/** What the process itself is like: how late its event loop runs, what it takes of the machine. By the names that dashboards know. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { gauge, type MetricSource } from "../metrics/metric.ts";

export interface ProcessMetrics {
  readonly sources: readonly MetricSource[];
  stop(): void;
}

/** Milliseconds between samples. */
const RESOLUTION = 20;
/** Milliseconds: what is told is of the last whole window, whoever asks and how often. */
const WINDOW = 15_000;
const NANOSECONDS = 1e9;

export function observeProcess(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  let window: Readonly<Record<"0.5" | "0.99" | "1", number>> | undefined;

  /** A sample that comes in time is one resolution old. */
  const late = (nanoseconds: number) =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION / 1000) : 0;
  const look = () => ({
    "0.5": late(delay.percentile(50)),
    "0.99": late(delay.percentile(99)),
    "1": late(delay.max),
  });
  const timer = setInterval(() => {
    window = look();
    delay.reset();
  }, WINDOW).unref();

  return {
    sources: [
      {
        name: "latchkey_event_loop_delay_seconds",
        help: "How late the event loop ran in the last 15 seconds: median, 99th percentile, and the worst.",
        type: "gauge",
        read: () => Object.entries(window ?? look()).map(([quantile, value]) => ({ labels: { quantile }, value })),
      },
      {
        name: "process_cpu_seconds_total",
        help: "Time on the processor.",
        type: "counter",
        read() {
          const { user, system } = process.cpuUsage();
          return [{ labels: {}, value: (user + system) / 1e6 }];
        },
      },
      gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss()),
      gauge("nodejs_heap_size_used_bytes", "Memory of JavaScript's objects.", () => process.memoryUsage().heapUsed),
      gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", () =>
        Math.round(performance.timeOrigin / 1000),
      ),
    ],
    stop() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
