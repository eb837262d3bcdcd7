// What the visitor may do. A page offers only that; the API checks each request again.

import { get } from "./api.js";

let permissions = {};

export async function learnPermissions() {
  ({ permissions } = await get("/session"));
}

export const may = (permission, desk) => ["*", desk].some((each) => permissions[each]?.includes(permission));
