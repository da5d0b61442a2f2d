/** Writes what is documented of the settings from the table in src/server/config.ts. */
import { readFileSync, writeFileSync } from "node:fs";
import { toEnvExample, toMarkdown } from "../src/server/config.ts";

const page = "docs/configuration.md";
const [before, after] = readFileSync(page, "utf8").split(
  /(?<=<!-- settings: npm run docs -->\n)[\s\S]*(?=<!-- \/settings -->)/,
);
writeFileSync(page, `${before}${toMarkdown()}${after}`);
writeFileSync(".env.example", toEnvExample());
