/** A crowd that holds sockets and says next to nothing, on a thread of its own. Whoever is hung up on comes back. */
import { connect, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { port, count } = workerData as { readonly port: number; readonly count: number };

const HEAD = "GET /v1/health HTTP/1.1\r\nHost: a\r\nX: ";
const BODY =
  "POST /v1/users/me/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
const WHOLE = "GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n";

/** What they say first, and what every second after it. */
const HABITS = [
  { first: HEAD, every: "a" },
  { first: BODY, every: " " },
  { first: "", every: "" },
  { first: WHOLE, every: "" },
] as const;
const SECOND = 1_000;

const sockets = new Set<Socket>();
let isOver = false;
let hangUps = 0;
let open = 0;

function hold(number: number): void {
  const { first, every } = HABITS[number % HABITS.length] as (typeof HABITS)[number];
  const socket = connect({ host: "127.0.0.1", port });
  sockets.add(socket);
  let timer: NodeJS.Timeout | undefined;
  socket.on("connect", () => {
    if (++open === count) parentPort?.postMessage("here");
    if (first !== "") socket.write(first);
    if (every !== "") timer = setInterval(() => socket.write(every), SECOND);
  });
  socket.on("error", () => {});
  socket.resume();
  socket.on("close", () => {
    clearInterval(timer);
    sockets.delete(socket);
    if (isOver) return;
    hangUps++;
    setTimeout(() => hold(number), SECOND * Math.random());
  });
}

for (let i = 0; i < count; i++) setTimeout(() => hold(i), (SECOND * i) / count);
parentPort?.on("message", () => {
  isOver = true;
  parentPort?.postMessage({ hangUps, held: sockets.size });
  for (const socket of sockets) socket.destroy();
  setTimeout(() => process.exit(0), 50);
});
