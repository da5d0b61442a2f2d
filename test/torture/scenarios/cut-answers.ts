/** Answers that are lost after the commit: a proxy passes requests on, and cuts one answer in twenty. */
import { createServer, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, createScene, onSqlite, type Scenario, underLoad } from "../scenario.ts";

const CUT = 0.05;

export const cutAnswers: Scenario = {
  title: "5 % of answers cut after the commit",
  unit: "seconds",
  full: 60,
  short: 2,
  async run(context) {
    const server = await onSqlite(context);
    const proxy = await startProxy(context, server.url);
    const scene = createScene(context);
    const clients = await scene.signIn(server.url, "ada", 16, () => proxy.url);
    await underLoad(clients, async () => {
      for (let second = 0; second < context.amount; second++) {
        await sleep(1000);
        if (second % 10 === 9) context.progress(`${second + 1} s, ${proxy.cutCount()} cut`);
      }
    });
    if (proxy.cutCount() === 0) throw new Error("no answer was cut");
    return scene.report(context.amount, { notes: `${proxy.cutCount()} answers cut` });
  },
};

async function startProxy(context: Context, target: string) {
  let cuts = 0;
  const proxy = createServer((incoming, outgoing) => {
    const onward = request(target + incoming.url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      if (incoming.url?.endsWith("/refresh") && answer.statusCode === 200 && Math.random() < CUT) {
        cuts++;
        answer.resume();
        // It was committed, and nobody will hear of it.
        answer.on("end", () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  context.onEnd(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, cutCount: () => cuts };
}
