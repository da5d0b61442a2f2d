/** Which page is shown: the path of the address, changed by links and the browser's own buttons. */
import { createStore } from "./store.ts";

const here = () => location.pathname;

export const path = createStore(here());

addEventListener("popstate", () => path.set(here()));

/** Shows another page. */
export function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  path.set(here());
  scrollTo(0, 0);
}

/** Links within the console change the page without loading it anew; all others, and those opened elsewhere, are the browser's. */
export function followLinks(): void {
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : undefined;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
    if (link.pathname !== "/" && !link.pathname.startsWith("/console/")) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname);
  });
}
