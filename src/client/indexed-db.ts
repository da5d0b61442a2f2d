/**
 * Storage in IndexedDB: the only one of a browser in which read-or-create is one step whatever other tabs do.
 * The few types are written out, so that nobody needs the DOM's to compile against us.
 */
import type { ClientStorage, Decide } from "./storage.ts";

interface DatabaseRequest<T> {
  readonly result: T;
  onsuccess: (() => void) | null;
  onerror: ((event: unknown) => void) | null;
}

interface ObjectStore {
  get(key: string): DatabaseRequest<string | undefined>;
  put(text: string, key: string): unknown;
  delete(key: string): unknown;
}

interface Transaction {
  oncomplete: (() => void) | null;
  onabort: ((event: unknown) => void) | null;
  objectStore(name: string): ObjectStore;
}

interface Database {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: "readwrite"): Transaction;
  close(): void;
}

interface OpenRequest extends DatabaseRequest<Database> {
  onupgradeneeded: (() => void) | null;
}

const NAME = "latchkey";

export function indexedDbStorage(): ClientStorage {
  let opened: Promise<Database> | undefined;

  const open = () =>
    new Promise<Database>((resolve, reject) => {
      const { indexedDB } = globalThis as unknown as { indexedDB: { open(name: string): OpenRequest } };
      const request = indexedDB.open(NAME);
      request.onupgradeneeded = () => request.result.createObjectStore(NAME);
      request.onerror = reject;
      request.onsuccess = () => resolve(request.result);
    });

  async function inTransaction(key: string, decide: Decide): Promise<string | undefined> {
    opened ??= open();
    const database = await opened;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(NAME, "readwrite");
      const store = transaction.objectStore(NAME);
      const reading = store.get(key);
      let text: string | undefined;
      reading.onsuccess = () => {
        text = decide(reading.result);
        if (text === undefined) store.delete(key);
        else if (text !== reading.result) store.put(text, key);
      };
      // Not before it is committed: a full disk shows itself here.
      transaction.oncomplete = () => resolve(text);
      transaction.onabort = reject;
    });
  }

  return {
    update: (key, decide) =>
      inTransaction(key, decide).catch(() => {
        // Browsers close connections of pages that sleep: once more, with a new one.
        opened = undefined;
        return inTransaction(key, decide);
      }),
  };
}
