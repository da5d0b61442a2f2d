/** Where something was measured: enough to judge the numbers by, nothing that names the machine or its owner. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
  readonly openssl: string;
  /** The day, UTC. */
  readonly date: string;
}

export function thisMachine(): Machine {
  return {
    cpu: (cpus()[0]?.model ?? "unknown").trim(),
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl ?? "unknown",
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The installed versions of what is measured; they are pinned in the bench's package.json. */
export function installedVersions(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, versionIn(`node_modules/${name}/package.json`)]));
}

export function ownVersion(): string {
  return versionIn("../package.json");
}

function versionIn(path: string): string {
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version: string };
  return version;
}
