// Agreements: the editor of the text, and the versions.

import { editor, versions } from "./desk_file.js";

versions();
if (document.querySelector("[data-editor]")) editor();
