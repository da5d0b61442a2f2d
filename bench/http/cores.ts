/** Servers and the load on them each have cores of their own, where Linux lets us say so. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Lists of cores as `taskset` reads them. */
export interface Cores {
  readonly server: string;
  readonly load: string;
}

/** @returns undefined where processes can't be pinned, or there is but one core. */
export function chooseCores(): Cores | undefined {
  try {
    execFileSync("taskset", ["-V"], { stdio: "ignore" });
    const status = readFileSync("/proc/self/status", "utf8");
    const [server, ...others] = readList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
    if (server === undefined) return undefined;
    const siblings = readList(
      readFileSync(`/sys/devices/system/cpu/cpu${server}/topology/thread_siblings_list`, "utf8").trim(),
    );
    const free = others.filter((core) => !siblings.includes(core));
    return free.length === 0 ? undefined : { server: String(server), load: free.join(",") };
  } catch {
    return undefined;
  }
}

/** All threads of this process, and those that they start from now on. */
export function pinThisProcess(cores: string): void {
  execFileSync("taskset", ["-apc", cores, String(process.pid)], { stdio: "ignore" });
}

/** `0-2,5` */
function readList(text: string): number[] {
  return text
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
