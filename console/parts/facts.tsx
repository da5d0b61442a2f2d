/** Small pieces that many pages show. */
import type { ComponentChildren } from "preact";

/** What a person has chosen to be called: any characters, in any direction, and none of them does anything. */
export function Name({ children }: { readonly children: string }) {
  return <bdi class="name">{children}</bdi>;
}

export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Badge({
  kind = "",
  children,
}: {
  readonly kind?: "" | "good" | "bad" | "warn";
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${kind}`}>{children}</span>;
}
