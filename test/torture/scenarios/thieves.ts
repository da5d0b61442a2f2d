/** Thieves who have copied a session's storage: whoever spends second is noticed, and nobody has the session any more. */
import { Client } from "../client.ts";
import { createScene, onSqlite, type Scenario } from "../scenario.ts";

export const thieves: Scenario = {
  title: "thieves with a copy of the token, before and after its owner",
  unit: "thefts",
  full: 400,
  short: 10,
  async run(context) {
    const server = await onSqlite(context);
    const scene = createScene(context);
    let caught = 0;
    // A user has fifty sessions at most.
    for (let done = 0; done < context.amount; ) {
      const owners = await scene.signIn(server.url, `user${done}`, Math.min(10, context.amount - done));
      for (const owner of owners) {
        done++;
        await owner.refresh();
        const first = scene.operations.at(-1)?.session as number;
        const record: typeof scene.record = (operation) => scene.record({ ...operation, isThief: true });
        const thief = new Client(
          { ...owner.tokens },
          { session: first, url: () => server.url, wire: scene.wire, record },
        );
        const [early, late] = Math.random() < 0.5 ? [owner, thief] : [thief, owner];
        await early.refresh();
        if (Math.random() < 0.5) await early.refresh();
        // With an attempt id of its own, as a copy made before the token was spent has none.
        await late.refresh();
        await early.refresh();
        if (!early.isSignedIn && !late.isSignedIn) caught++;
      }
      context.progress(`${done} of ${context.amount}, ${caught} caught`);
    }
    const report = scene.report(context.amount, { notes: `${caught} caught` });
    if (caught === context.amount) return report;
    const what = `${context.amount - caught} thieves stayed`;
    return { ...report, violations: [...report.violations, { promise: "fork", what }] };
  },
};
