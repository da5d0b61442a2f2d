/** `latchkey env`: every setting with its default. */
import { Command } from "commander";
import { toEnvExample, toMarkdown, VARIABLES } from "../server/config.ts";

export const envCommand = () =>
  new Command("env")
    .description("print every setting with its default, as an .env file")
    .option("--json", "as JSON")
    .option("--markdown", "as a table")
    .action((options: { json?: true; markdown?: true }) => {
      const rows = VARIABLES.map(({ name, fallback, description }) => ({
        name,
        default: fallback ?? null,
        description,
      }));
      const text = options.json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : options.markdown
          ? toMarkdown()
          : toEnvExample();
      process.stdout.write(text);
    });
