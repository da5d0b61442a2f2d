/** The console, in the browser: it shows itself as soon as it is there. */
import { render } from "preact";
import { App } from "./app.tsx";
import { followLinks } from "./router.ts";

followLinks();
render(<App />, document.getElementById("app") as HTMLElement);
