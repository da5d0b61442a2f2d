/** What the page of the document looks like, by day and by night, on paper and on a telephone. */
export const STYLESHEET = `:root {
  color-scheme: light dark;
  --paper: light-dark(#fff, #14171c);
  --side: light-dark(#f6f7f9, #191d23);
  --ink: light-dark(#1d2430, #dfe4ec);
  --soft: light-dark(#566070, #9aa5b5);
  --line: light-dark(#dfe3e8, #2b313a);
  --link: light-dark(#0b5cad, #7db7f5);
  --code: light-dark(#f3f4f7, #1d222a);
  --get: light-dark(#0b5cad, #7db7f5);
  --post: light-dark(#17693a, #6fcf97);
  --patch: light-dark(#8a5300, #e9b35f);
  --delete: light-dark(#b3261e, #f2938c);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; scrollbar-gutter: stable; }
body { margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr); background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: 0.5rem 1rem; z-index: 1; }
nav { position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto; padding: 1.5rem 1.25rem; background: var(--side);
  border-right: 1px solid var(--line); font-size: 0.875rem; }
nav .name { margin: 0 0 1rem; font-size: 1.125rem; font-weight: 650; }
nav .name span { color: var(--soft); font-weight: 400; }
nav h2 { margin: 1.25rem 0 0.25rem; font-size: 0.75rem; font-weight: 600; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; gap: 0.5rem; padding: 0.2rem 0.4rem; margin: 0 -0.4rem; border-radius: 4px; color: inherit; text-decoration: none;
  overflow-wrap: anywhere; }
nav a:hover { background: var(--line); }
nav .method { flex: 0 0 3.1rem; font-size: 0.6875rem; line-height: 1.9; }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 62rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.01em; }
.lead { color: var(--soft); max-width: 46rem; }
main h2 { margin: 3.5rem 0 0; padding-bottom: 0.4rem; border-bottom: 1px solid var(--line); font-size: 1.3rem; }
article { padding: 1.75rem 0 0.5rem; }
article + article { border-top: 1px solid var(--line); }
h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
h3 code { background: none; padding: 0; font-size: 1em; }
article:target h3 { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 0.4em; }
h4 { margin: 1.1rem 0 0.4rem; font-size: 0.8125rem; color: var(--soft); font-weight: 600; }
p { margin: 0.5rem 0; }
.method { font: 600 0.8em/1 ui-monospace, monospace; margin-right: 0.35rem; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
code { font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--code); padding: 0.1em 0.3em; border-radius: 3px;
  overflow-wrap: anywhere; }
pre { margin: 0.5rem 0; padding: 0.75rem 1rem; background: var(--code); border-radius: 6px; overflow-x: auto; }
pre code { background: none; padding: 0; font-size: 0.8125rem; overflow-wrap: normal; }
small { color: var(--soft); font-size: 0.8125rem; font-weight: 400; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; }
tbody th { font-weight: 400; min-width: 9rem; }
td { min-width: 9rem; }
dl { margin: 0; display: grid; grid-template-columns: 3rem minmax(0, 1fr); gap: 0.35rem 0.75rem; font-size: 0.875rem; }
dt { font: 600 0.875rem/1.5 ui-monospace, monospace; }
dd { margin: 0; }
.s2 { color: var(--post); } .s3 { color: var(--soft); } .s4 { color: var(--patch); } .s5 { color: var(--delete); }
@media (max-width: 56rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
}
@media print {
  nav, .skip { display: none; }
  body { display: block; }
  article { break-inside: avoid; }
}
`;
