/** `latchkey/testing`: tokens for tests of an application, and attacks on its guards. */
export { expectRejects, type RejectOptions, type Send } from "./expect-rejects.ts";
export { type Attack, type HostileOptions, hostileRequests, type Severity } from "./hostile-requests.ts";
export { createTestIssuer, type TestClaims, type TestIssuer, type TestIssuerOptions } from "./test-issuer.ts";
