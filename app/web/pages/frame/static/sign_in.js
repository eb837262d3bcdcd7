// The sign-in page: signs in with a key, then shows what was asked for.

import { signedIn } from "./session.js";

await signedIn();
const { value: next } = document.querySelector("#people-form").elements.next;
if (location.pathname.endsWith("/sign-in")) location.assign(next);
else location.reload(); // the page is shown in place of the one asked for
