/** What a server counts, as its /metrics says it. */

export const METRICS_TOKEN = "dG9ydHVyZSByZWFkcyB3aGF0IHNlcnZlcnMgY291bnQ";

/** @returns the value of the sample that is called so, labels included; 0 while there is none. */
export async function readMetric(url: string, sample: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  if (!answer.ok) throw new Error(`/metrics: ${answer.status}`);
  const line = (await answer.text()).split("\n").find((one) => one.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}

/** Password hashes that were made or checked, to the end. */
export const CHECKED_HASHES = 'latchkey_hash_seconds_count{operation="check"}';
export const RESIDENT_MEMORY = "process_resident_memory_bytes";
