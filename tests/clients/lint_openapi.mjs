// Lints an OpenAPI document by the configuration beside it. Prints one line for each problem, then how many there are.
import { lintFromString, loadConfig } from "@redocly/openapi-core";
import { readFileSync } from "node:fs";

const [document, configuration] = process.argv.slice(2);
const config = await loadConfig({ configPath: configuration });
const problems = await lintFromString({ source: readFileSync(document, "utf8"), absoluteRef: document, config });
for (const { ruleId, severity, message, location } of problems) {
  console.log(severity, ruleId, location[0]?.pointer, message.split("\n")[0]);
}
console.log(`${problems.length} problems`);
