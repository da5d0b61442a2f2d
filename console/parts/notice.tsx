/** What just happened, said where it happened and to screen readers. */
import type { ComponentChildren } from "preact";
import type { Read } from "../read.ts";
import { say } from "../words.ts";

export interface NoticeProps {
  readonly kind: "problem" | "done" | "note";
  readonly children: ComponentChildren;
}

export function Notice({ kind, children }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** Where there is nothing yet: what would be here, and what makes it come. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Shows what a page reads once it is there, and until then that it is coming, or why it is not. */
export function Reading<T>({
  of,
  children,
}: {
  readonly of: Read<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { value, error, reload } = of;
  return (
    <>
      {error !== undefined && (
        <Notice kind="problem">
          {say(error)}{" "}
          <button type="button" class="link" onClick={reload}>
            Try again
          </button>
        </Notice>
      )}
      {value !== undefined ? children(value) : error === undefined && <p class="loading">Loading…</p>}
    </>
  );
}
