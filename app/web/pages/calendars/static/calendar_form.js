// Calendars: the editor.

import { editor } from "./desk_file.js";

if (document.querySelector("[data-editor]")) editor();
