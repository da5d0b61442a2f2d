/** How a guard finds what an engine knows by sight. Kept aside, so that an engine shows nothing of it, and a guard loads nothing that makes it. */
import type { AuthenticateOptions, Identity } from "./auth-interface.ts";

/** Of one engine and one freshness. */
export interface Sight {
  /** Whom a credential stands for that was let pass before and is as good now; counted, as `authenticate` counts. */
  find(credential: string): Identity | undefined;
  /** @param token that is in the credential and was let pass just now. */
  remember(credential: string, token: string): void;
}

/** @returns undefined where credentials can't be known by sight, since the store is asked for each. */
export type SightFor = (freshness: AuthenticateOptions["freshness"]) => Sight | undefined;

interface Engine {
  readonly authenticate: unknown;
}

/** Each with the `authenticate` that it was made with, whose answers are known again. */
const sights = new WeakMap<Engine, { readonly sightFor: SightFor; readonly authenticate: unknown }>();

export function registerSight(engine: Engine, sightFor: SightFor): void {
  sights.set(engine, { sightFor, authenticate: engine.authenticate });
}

/**
 * What an engine knows again of what it has let pass. One whose `authenticate` was replaced, by a test or by an application that asks for more, is
 * asked each time, whenever that was done.
 * @returns undefined for what is no engine of ours, as a test may put in its place.
 */
export function sightOf(engine: Engine, freshness: AuthenticateOptions["freshness"]): Sight | undefined {
  const { sightFor, authenticate } = sights.get(engine) ?? {};
  const sight = sightFor?.(freshness);
  return (
    sight && {
      find: (credential) => (engine.authenticate === authenticate ? sight.find(credential) : undefined),
      remember: (credential, token) => {
        if (engine.authenticate === authenticate) sight.remember(credential, token);
      },
    }
  );
}
