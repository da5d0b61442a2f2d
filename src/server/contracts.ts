/** The wire dialects that the configuration names, made over the engine. */
import type { Auth } from "../auth.ts";
import type { DjangoDialectOptions } from "../contracts/django-dialect.ts";
import { drfContract } from "../contracts/drf.ts";
import { latchkeyContract } from "../contracts/latchkey.ts";
import { simplejwtContract } from "../contracts/simplejwt.ts";
import type { Contract } from "../http/route.ts";
import type { Config } from "./config.ts";
import type { ContractName } from "./django-settings.ts";

export function makeContracts(auth: Auth, config: Config): readonly Contract[] {
  const shared: DjangoDialectOptions = {
    ...(config.djangoAccessTtl !== undefined && { accessTtl: config.djangoAccessTtl }),
    ...(config.djangoRefreshTtl !== undefined && { refreshTtl: config.djangoRefreshTtl }),
    rotateRefreshTokens: config.djangoRotation === "rotating",
    refreshKey: config.djangoRefreshKey,
    allowTokensIssuedByDjango: config.djangoTokens === "allow",
  };
  const makers: Readonly<Record<ContractName, () => Contract>> = {
    latchkey: () => latchkeyContract,
    drf: () => drfContract(auth, { ...shared, basePath: config.drfPath }),
    simplejwt: () =>
      simplejwtContract(auth, {
        ...shared,
        basePath: config.simplejwtPath,
        isBlacklisted: (jti) => config.djangoBlacklist.has(jti),
        checkRevokeToken: config.djangoRevokeCheck === "on",
      }),
  };
  return config.contracts.map((name) => makers[name]());
}

/** A setting that is loose on purpose, for a while. */
export interface LooseSetting {
  readonly message: string;
  readonly mend: string;
}

/** What an operator should be reminded of at every start. */
export function looseSettings({ djangoTokens, djangoRefreshKey, contracts, limits }: Config): readonly LooseSetting[] {
  const hasEnvelopes = contracts.some((name) => name !== "latchkey");
  return [
    ...(limits === "off"
      ? [
          {
            message: "LATCHKEY_LIMITS=off: passwords may be guessed without limit",
            mend: "leave it out when the measuring is over",
          },
        ]
      : []),
    ...(djangoTokens === "allow"
      ? [
          {
            message:
              "LATCHKEY_DJANGO_TOKENS=allow: whoever holds JWT_SECRET_KEY can make tokens that are taken for Django's",
            mend: "set it to refuse when the last token that Django issued has expired",
          },
        ]
      : []),
    ...(djangoRefreshKey === "shared" && hasEnvelopes
      ? [
          {
            message:
              "LATCHKEY_DJANGO_REFRESH_KEY=shared: a Django that holds JWT_SECRET_KEY can refresh sessions that were ended here",
            mend: "set it to derived when there is no way back to Django any more",
          },
        ]
      : []),
  ];
}
