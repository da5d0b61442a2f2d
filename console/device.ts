/** Which device a session is on, as far as its User-Agent tells: a hint for its owner, proof of nothing. */

/** The first that matches counts, so those that carry others' names come first. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\b(?:OPR|OPT|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\bHeadlessChrome\//, "Chrome (automated)"],
  [/\b(?:Chrome|Chromium|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPad\b/, "iPad"],
  [/\biPhone\b/, "iPhone"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

/** "Firefox on Linux"; for programs their own name, as "curl 8.5". */
export function toDevice(userAgent: string | null | undefined): string {
  if (!userAgent?.trim()) return "Unknown device";
  const find = (table: typeof BROWSERS) => table.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (browser) return system ? `${browser} on ${system}` : browser;
  const program = /^([A-Za-z][\w .-]{0,39}?)(?:\/(\d+(?:\.\d+)?)\S*)?(?:\s|$)/.exec(userAgent);
  if (program?.[1]) return [program[1], program[2]].filter(Boolean).join(" ");
  return userAgent.length > 40 ? `${userAgent.slice(0, 40)}…` : userAgent;
}

export const isPhone = (userAgent: string | null | undefined): boolean => /\bMobi|iPhone|Android/.test(userAgent ?? "");
