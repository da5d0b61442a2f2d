/** `latchkey serve`: the server, until it is told to stop. */
import { Command } from "commander";
import { type Config, readConfig } from "../server/config.ts";
import { createJsonLogger, createTextLogger } from "../server/logger.ts";
import { type RunningServer, startServer } from "../server/server.ts";

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
}

export const serveCommand = () =>
  new Command("serve")
    .description("start the server; settings come from the environment, see: latchkey env")
    .option("--host <address>", "address to listen on (HOST)")
    .option("--port <port>", "port to listen on (PORT)")
    .option("--data-dir <folder>", "the data folder (LATCHKEY_DATA_DIR)")
    .action(serve);

async function serve({ host, port, dataDir }: ServeOptions): Promise<void> {
  const config = readConfig({
    ...process.env,
    ...(host !== undefined && { HOST: host }),
    ...(port !== undefined && { PORT: port }),
    ...(dataDir !== undefined && { LATCHKEY_DATA_DIR: dataDir }),
  });
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  const logger = config.isProduction ? await createJsonLogger() : createTextLogger(write);
  const server = await startServer(config, logger);
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Asked twice, it goes at once.
      if (isStopping) process.exit(1);
      isStopping = true;
      logger.info("stopping");
      server.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  // A file, a pipe or a log collector keeps what it is told; a terminal shows it to whoever sits there.
  const link = process.stdout.isTTY ? await server.firstUserLink() : undefined;
  // Said last: whoever reads it may send a signal at once.
  if (server.metricsUrl !== undefined) logger.info(`metrics at ${server.metricsUrl}/metrics`);
  if (config.isProduction) logger.info(`listening on ${server.url}`);
  else write(banner(server, config));
  if (link) write(invitation(link));
}

const invitation = (
  link: string,
) => `  There is no user yet. Whoever opens this makes the first one, who becomes staff (once, within the hour):

  ${link}
`;

function banner({ url, database, hasConsole }: RunningServer, { issuer, audience }: Config): string {
  const json = `-H "Content-Type: application/json" -d`;
  return `
  Latchkey listens on ${url}          (development; stop with Ctrl-C)
  Database ${database}, iss ${issuer}, aud ${audience}
${hasConsole ? `\n  In a browser: ${url}\n` : ""}
  Register, sign in, ask who you are, refresh:

  curl -X POST ${url}/v1/users/ ${json} '{"username": "ada", "email": "ada@example.com", "password": "correct horse battery"}'
  curl -X POST ${url}/v1/users/me/token ${json} '{"username": "ada", "password": "correct horse battery"}'
  curl ${url}/v1/users/me -H "Authorization: Bearer <access_token>"
  curl -X POST ${url}/v1/users/me/token/refresh ${json} '{"refresh_token": "<refresh_token>"}'
`;
}
