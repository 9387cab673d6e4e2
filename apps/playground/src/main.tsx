import { render } from "preact";
import { App } from "./app.tsx";
import { readPlatformClock } from "./state/clock.ts";

readPlatformClock().catch(() => {});
render(<App />, document.body);
