// Imports every package that a test uses and prints its name.
import { readFileSync } from "node:fs";

const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url)));
for (const name of Object.keys(devDependencies)) {
  await import(name);
  console.log(name);
}
