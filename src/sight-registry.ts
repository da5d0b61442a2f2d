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

const sights = new WeakMap<object, SightFor>();

export function registerSight(engine: object, sightFor: SightFor): void {
  sights.set(engine, sightFor);
}

/** @returns undefined for what is no engine of ours, as a test may put in its place. */
export function sightOf(engine: object, freshness: AuthenticateOptions["freshness"]): Sight | undefined {
  return sights.get(engine)?.(freshness);
}
