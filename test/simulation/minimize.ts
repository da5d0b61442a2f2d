/**
 * The last step of shrinking: fast-check shrinks what a history was made from, and this drops what is left in it and does
 * not matter, one event at a time. Moments stay where they are.
 */
import type { History } from "./history.ts";

/** @param breaks whether a history still shows what is to be shown. */
export async function minimize(history: History, breaks: (history: History) => Promise<boolean>): Promise<History> {
  let smallest = history;
  for (let index = 0; index < smallest.events.length; ) {
    const smaller = without(smallest, index);
    if (await breaks(smaller)) smallest = smaller;
    else index++;
  }
  const alone = { ...smallest, devices: smallest.devices.slice(0, 1) };
  return smallest.devices.length > 1 && (await breaks(alone)) ? alone : smallest;
}

function without({ devices, events }: History, index: number): History {
  const next = events[index + 1];
  const after = (events[index]?.after ?? 0) + (next?.after ?? 0);
  return {
    devices,
    events: [...events.slice(0, index), ...(next ? [{ ...next, after }] : []), ...events.slice(index + 2)],
  };
}
