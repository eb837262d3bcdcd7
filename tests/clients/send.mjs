// Sends events with the CloudEvents SDK for JavaScript: node send.mjs URL MODE EVENTS, the key in KEY. Prints the answer.
import { CloudEvent, HTTP, emitterFor, httpTransport } from "cloudevents";

const [url, mode, written] = process.argv.slice(2);
const authorization = { Authorization: `Bearer ${process.env.KEY}` };
const events = JSON.parse(written).map((event) => new CloudEvent(event));

// The SDK has no function that writes a batch: it serializes each event, and the batch is the array of them.
function message() {
  if (mode === "batched") {
    const body = JSON.stringify(events.map((event) => JSON.parse(HTTP.structured(event).body)));
    return { headers: { "content-type": "application/cloudevents-batch+json" }, body };
  }
  return HTTP[mode](events[0]);
}

if (mode === "emitter") {
  // What the SDK's own transport sends by default.
  const emit = emitterFor(httpTransport(url));
  const { body } = await emit(events[0], { headers: authorization });
  console.log(body);
} else {
  const { headers, body } = message();
  const answer = await fetch(url, { method: "POST", headers: { ...headers, ...authorization }, body });
  console.log(await answer.text());
}
