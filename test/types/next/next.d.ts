/** As much of Next.js as examples/next uses: the real one is 200 MB. */
declare module "next" {
  export interface NextConfig {
    readonly serverExternalPackages?: readonly string[];
  }
}
declare module "next/headers" {
  export function headers(): Promise<Headers>;
}
declare module "next/navigation" {
  export function redirect(path: string): never;
}
