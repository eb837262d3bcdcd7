// The sign-in page: signs in with a key, then shows what was asked for at the same address.

import { get } from "./api.js";
import { signedIn } from "./session.js";

await signedIn(() => get("/session"));
location.reload();
