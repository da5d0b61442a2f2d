/** Options that there are: one with a letter wrong would be passed over, and no compiler sees one beside others that are right. */

/** All names of a type of options, so that the compiler knows of one that is not listed. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Reads whatever was given as options, before anything in it is looked at.
 * @param taker whose options they are, for the message.
 * @throws TypeError for what is no object, and for a name that is not known, with those that are.
 */
export function refuseUnknownOptions(options: unknown, names: Readonly<Record<string, true>>, taker: string): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${taker} takes an object of options: ${Object.keys(names).join(", ")}`);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw new TypeError(`${taker} has no option ${JSON.stringify(unknown)}: there are ${Object.keys(names).join(", ")}`);
}
