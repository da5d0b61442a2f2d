/** The settings that histories are made for: what the network does, and what the clients send. */
import type { AttemptIds } from "./history.ts";

export interface Setting {
  readonly title: string;
  /** Percent of messages that are lost. */
  readonly loss: number;
  /** Seconds that a message may take one way, and percent of messages that take any. */
  readonly slowest: number;
  readonly slow: number;
  readonly tabCount: number;
  /** What devices send; the rest of them send nothing. */
  readonly attemptIds: AttemptIds;
  /** False for the mistake that is only made to show what it leads to. */
  readonly isSound: boolean;
}

export const SETTINGS = {
  loss: {
    title: "30 % loss",
    loss: 30,
    slowest: 2,
    slow: 20,
    tabCount: 2,
    attemptIds: "shared",
    isSound: true,
  },
  "delay-10": {
    title: "10 s delays",
    loss: 0,
    slowest: 10,
    slow: 70,
    tabCount: 2,
    attemptIds: "shared",
    isSound: true,
  },
  "delay-40": {
    title: "40 s delays with 10 % loss",
    loss: 10,
    slowest: 40,
    slow: 50,
    tabCount: 2,
    attemptIds: "shared",
    isSound: true,
  },
  "shared-ids": {
    title: "up to five tabs that share attempt ids",
    loss: 10,
    slowest: 12,
    slow: 50,
    tabCount: 5,
    attemptIds: "shared",
    isSound: true,
  },
  "per-tab-ids": {
    title: "the same with attempt ids for each tab",
    loss: 10,
    slowest: 12,
    slow: 50,
    tabCount: 5,
    attemptIds: "per-tab",
    isSound: false,
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
