// Which words do the pages use for what the API names? Whatever is not listed is shown as the API writes it.

const FACTS = {
  "agent.replied": "agent replied",
  "anomaly.detected": "anomaly detected",
  "call.registered": "call registered",
  "claim.answered": "claim answered",
  "claim.filed": "claim filed",
  "intervention.started": "intervention started",
  "outage.ended": "outage ended",
  "outage.started": "outage started",
  "outage.verified": "outage verified",
  "part.replaced": "part replaced",
  "progress.reported": "progress reported",
  "request.read": "request read",
  "service.restored": "service restored",
};

const CAUSES = {
  answered: "answered",
  closed: "closed",
  corrected: "an earlier move proved wrong",
  created: "ticket opened",
  deleted: "deleted",
  duplicate: "another ticket on the same subject",
  merged: "merged",
  message: "the customer wrote",
  on_hold: "put on hold",
  pending: "set to pending",
  queue: "put into another queue",
  rank: "the customer's plan changed",
  reopened: "reopened",
  repeat_message: "the customer wrote again",
  resumed: "back from pending or on hold",
  solved: "solved",
};

const REASONS = { "after closing": "end of the day" };

const SIGNALS = {
  "clock.awaiting": "awaits too long",
  "clock.breach_retracted": "breach taken back",
  "clock.breached": "guarantee breached",
  "clock.cancelled": "cancelled",
  "clock.due_changed": "due date changed",
  "clock.lapsed": "customer's term lapsed",
  "clock.miss_retracted": "miss taken back",
  "clock.missed": "objective missed",
  "clock.paused": "paused",
  "clock.reopened": "reopened",
  "clock.resumed": "resumed",
  "clock.started": "started",
  "clock.stopped": "stopped",
  "clock.warned": "warning",
  "queue.joined": "joined the queue",
  "queue.left": "left the queue",
  "queue.moved": "moved in the queue",
  "subscription.disabled": "deliveries switched off",
};

const LATE = { guarantee: "guarantee breached", objective: "objective missed", customer: "customer's term lapsed" };
const MARKS = { guarantee: "\u25a0", objective: "\u25c6", customer: "\u25cb" };
const KINDS = { guarantee: "guarantee", objective: "objective", customer: "customer's term" };

export const SPANS = {
  counted: "counted",
  overdue: "counted, late",
  skipped: "skipped: closed",
  paused: "paused",
  excluded: "excluded",
  awaiting: "awaiting its start",
  stopped: "stopped",
  not_applying: "did not apply",
};

// Signals that are announced: somebody's promise was missed, or proved not to be.
export const ALARMS = new Set([
  "clock.breached", "clock.missed", "clock.lapsed", "clock.breach_retracted", "clock.miss_retracted",
]);
export const RETRACTIONS = new Set(["clock.breach_retracted", "clock.miss_retracted"]);

export const fact = (type) =>
  type.startsWith("status:") ? `status ${type.slice("status:".length)}` : (FACTS[type] ?? type);
export const cause = (word) => CAUSES[word] ?? word;
export const reason = (word) => REASONS[word] ?? word;
export const signal = (kind) => SIGNALS[kind] ?? kind;
export const late = (kind) => LATE[kind] ?? "late";
export const mark = (kind) => MARKS[kind] ?? "\u25a0";
export const kind = (word) => KINDS[word] ?? word;
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// "call.registered" or, where several would do, "anomaly.detected or request.read": in the API's words, since it is
// by those that a ticket system sends them.
export const waitsFor = (awaiting) => `waits for ${awaiting.map((each) => each.split("|").join(" or ")).join(" and ")}`;

// A ticket's last move in its queue: "moved: the customer wrote again".
export const moved = (move) => `${move.kind}: ${cause(move.cause)}`;
