/** All scenarios, in the order in which they are run. */
import type { Scenario } from "./scenario.ts";
import { clockJumps } from "./scenarios/clock-jumps.ts";
import { cutAnswers } from "./scenarios/cut-answers.ts";
import { diskFull } from "./scenarios/disk-full.ts";
import { guessesFourProcesses, guessesOneProcess, guessesPostgres, guessesPostgresFour } from "./scenarios/guesses.ts";
import { interleavedOnPostgres, interleavedOnSqlite } from "./scenarios/interleavings.ts";
import { killed } from "./scenarios/killed.ts";
import { loginFlood } from "./scenarios/login-flood.ts";
import { mutatedRequests } from "./scenarios/mutated-requests.ts";
import { oneTokenFourProcesses, oneTokenOneProcess, oneTokenPostgres } from "./scenarios/one-token.ts";
import { postgresFrozen, postgresRestarted } from "./scenarios/postgres-down.ts";
import { rotatingKeys } from "./scenarios/rotating-keys.ts";
import { slowSockets } from "./scenarios/slow-sockets.ts";
import { startsOnPostgres, startsOnSqlite } from "./scenarios/starts.ts";
import { stopped } from "./scenarios/stopped.ts";
import { thieves } from "./scenarios/thieves.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  killed,
  "cut-answers": cutAnswers,
  thieves,
  "one-token": oneTokenOneProcess,
  "one-token-4": oneTokenFourProcesses,
  "one-token-postgres": oneTokenPostgres,
  interleaved: interleavedOnSqlite,
  "interleaved-postgres": interleavedOnPostgres,
  starts: startsOnSqlite,
  "starts-postgres": startsOnPostgres,
  "postgres-restarted": postgresRestarted,
  "postgres-frozen": postgresFrozen,
  "disk-full": diskFull,
  "clock-jumps": clockJumps,
  "rotating-keys": rotatingKeys,
  stopped,
  "slow-sockets": slowSockets,
  "mutated-requests": mutatedRequests,
  guesses: guessesOneProcess,
  "guesses-4": guessesFourProcesses,
  "guesses-postgres": guessesPostgres,
  "guesses-postgres-4": guessesPostgresFour,
  "login-flood": loginFlood,
};
