// A small typed client over the types that openapi-typescript generates. Arguments: base URL, key.
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Schemas = components["schemas"];
type Pushed = paths["/v1/events"]["post"]["responses"]["200"]["content"]["application/json"];

const [base, key] = process.argv.slice(2) as [string, string];

async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    const problem = (await response.json()) as Schemas["ProblemDocument"];
    throw new Error(`${problem.status} ${problem.detail}`);
  }
  return (await response.json()) as Answer;
}

const created: Schemas["TicketCreatedEvent"] = {
  specversion: "1.0",
  id: "ts-1",
  source: "haisoft",
  type: "ticket.created",
  subject: "TS-1",
  time: new Date().toISOString(),
  data: { title: "Server unreachable", customer: "ACME", tags: ["web"] },
};
const status: Schemas["StatusChangedEvent"] = {
  ...created,
  id: "ts-2",
  type: "status.changed",
  // @ts-expect-error a word that is no status does not compile
  data: { status: "opened" },
};
status.data = { status: "open" };
const events: Schemas["KnownEvent"][] = [created, status];
for (const event of events) {
  // The type of an event decides the type of its data.
  if (event.type === "status.changed") console.log("status", event.data.status);
}

const pushed = await call<Pushed>("POST", "/v1/events", events);
console.log("accepted", pushed.accepted);
const ticket = await call<Schemas["TicketView"]>("GET", "/v1/tickets/haisoft/TS-1");
console.log("ticket", ticket.ticket, ticket.status);
const page = await call<Schemas["TicketPage"]>("GET", "/v1/tickets?desk=haisoft");
console.log("listed", page.tickets.some((each) => each.ticket === "TS-1"));

const kinds: Schemas["SignalKind"][] = ["clock.breached"];
const wanted: Schemas["NewSubscription"] = { desk: "haisoft", kinds, url: "https://hooks.example.com/sla" };
const made = await call<Schemas["SubscriptionWithSecret"]>("POST", "/v1/subscriptions", wanted);
console.log("subscribed", made.kinds.join());
