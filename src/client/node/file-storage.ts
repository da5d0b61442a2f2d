/**
 * Storage in a file that only its owner can read: for command lines and services that stay signed in between runs.
 * Processes take turns at it by a lock file, so that they meet in one attempt id as tabs do.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientStorage } from "../storage.ts";

/** Milliseconds. A lock is held for one read and one write; one this old was left by a process that died. */
const STALE = 2_000;
const BETWEEN_TRIES = 10;

/** @param path of a file, made with mode 0600 where there is none; its folder with 0700. */
export function fileStorage(path: string): ClientStorage {
  const lock = `${path}.lock`;

  function isLocked(): boolean {
    try {
      closeSync(openSync(lock, "wx", 0o600));
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      // Either way of the clock: a lock from the future would be held for ever.
      if (Math.abs(age) > STALE) rmSync(lock, { force: true });
      return true;
    }
  }

  function read(): Record<string, string> {
    try {
      return Object(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      // What is no JSON was written by nobody of us, or by a machine that lost power: nobody is signed in there.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  }

  return {
    async update(key, decide) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      while (isLocked()) await sleep(BETWEEN_TRIES);
      try {
        const { [key]: old, ...others } = read();
        const text = decide(old);
        if (text !== old) {
          const whole = JSON.stringify(text === undefined ? others : { ...others, [key]: text });
          const next = `${path}.${process.pid}.tmp`;
          rmSync(next, { force: true });
          writeFileSync(next, whole, { mode: 0o600, flag: "wx", flush: true });
          // Whole or not at all.
          renameSync(next, path);
        }
        return text;
      } finally {
        rmSync(lock, { force: true });
      }
    },
  };
}
