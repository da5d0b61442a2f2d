/** As much of Next.js as examples/next uses, for the quick tests: the real one is 400 MB, and test/next builds with that. */
declare module "next" {
  export interface NextConfig {
    readonly serverExternalPackages?: readonly string[];
  }
}
declare module "next/headers" {
  export function headers(): Promise<Headers>;
}
declare module "next/server" {
  export interface NextRequest extends Request {
    readonly nextUrl: URL;
  }
}
declare module "next/navigation" {
  export function redirect(path: string): never;
}
