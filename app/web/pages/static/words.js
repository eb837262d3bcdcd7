// The words for names of the API. A name that is not listed is shown as it is.

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
  corrected: "correction of an earlier move",
  created: "ticket created",
  deleted: "deleted",
  duplicate: "duplicate ticket",
  merged: "merged",
  message: "message from the customer",
  on_hold: "put on hold",
  pending: "set to pending",
  queue: "moved to another queue",
  rank: "change of the customer's plan",
  reopened: "reopened",
  repeat_message: "another message from the customer",
  resumed: "resumed after pending or on hold",
  solved: "solved",
};

const REASONS = { "after closing": "end of the day", "lunch gap": "lunch break" };

const SIGNALS = {
  "allowance.exceeded": "past the allowance",
  "allowance.exceeded_retracted": "not past the allowance",
  "average.breach_retracted": "breach of an average retracted",
  "average.breached": "average breached",
  "average.warned": "average near its target",
  "availability.breach_moved": "uptime breached at another instant",
  "availability.breach_retracted": "breach of an uptime retracted",
  "availability.breached": "uptime breached",
  "availability.warned": "downtime nearly used up",
  "clock.breach_retracted": "breach retracted",
  "clock.breached": "guarantee breached",
  "clock.cancelled": "cancelled",
  "clock.due_changed": "due date changed",
  "clock.lapsed": "customer deadline passed",
  "clock.miss_retracted": "missed objective retracted",
  "clock.missed": "objective missed",
  "clock.paused": "paused",
  "clock.reopened": "reopened",
  "clock.resumed": "resumed",
  "clock.started": "started",
  "clock.stopped": "completed",
  "clock.warned": "warning",
  "queue.joined": "joined the queue",
  "queue.left": "left the queue",
  "queue.moved": "moved in the queue",
  "contract.applied": "contract changed",
  "credit.owed": "credit owed",
  "credit.claimable": "credit can be claimed",
  "credit.changed": "credit changed",
  "credit.claimed": "credit claimed",
  "credit.granted": "credit granted",
  "credit.refused": "credit refused",
  "credit.lapsed": "credit lapsed",
  "credit.withdrawn": "credit withdrawn",
  "report.ready": "report ready",
  "subscription.disabled": "subscription disabled",
  "agreement.applied": "new version of the agreement",
  "calendar.applied": "new version of the calendars",
};

const LATE = { guarantee: "guarantee breached", objective: "objective missed", customer: "customer deadline passed" };
const MARKS = { guarantee: "\u25a0", objective: "\u25c6", customer: "\u25cb" };
const KINDS = { guarantee: "guarantee", objective: "objective", customer: "customer deadline" };

export const SPANS = {
  counted: "counted",
  overdue: "overdue",
  skipped: "closed, not counted",
  paused: "paused",
  excluded: "excluded",
  awaiting: "not started",
  stopped: "completed",
  not_applying: "not applicable",
};

// Signals that are announced: breaches and their retractions.
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

// "Waiting for: call registered" or, where one of several is enough, "anomaly detected or request read".
export const waitsFor = (awaiting) =>
  `Waiting for: ${awaiting.map((each) => each.split("|").map(fact).join(" or ")).join(" and ")}`;

const STATES = {
  awaiting: "not started", running: "running", paused: "paused", stopped: "completed", cancelled: "cancelled",
};
export const stateName = (state) => sentence(STATES[state] ?? state);

const UPTIME_STATES = { running: "on target", kept: "kept", breached: "breached", none: "no calls" };
export const uptimeState = (state) => sentence(UPTIME_STATES[state] ?? state);

const CREDIT_STATES = {
  accruing: ["\u2026", "accruing"],
  owed: ["\u25cf", "owed"],
  claimable: ["\u25cb", "can be claimed"],
  claimed: ["\u25d0", "claimed, to be answered"],
  granted: ["\u2713", "granted"],
  refused: ["\u2715", "refused"],
  lapsed: ["\u2013", "lapsed"],
  withdrawn: ["\u21b6", "withdrawn, to be settled"],
};
export const creditState = (state) => sentence(CREDIT_STATES[state]?.[1] ?? state);
export const creditMark = (state) => CREDIT_STATES[state]?.[0] ?? "";
export const CREDITS_BY_STATE = Object.keys(CREDIT_STATES);

const FLAGS = {
  outages_capped: "only the latest outages are listed; the figures count all",
  second_start: "a second start of an outage that was open was not counted",
  end_without_start: "an end without a start was not counted",
  verified_without_outage: "a verification of no outage was not counted",
  unreadable_span: "a window or an exclusion cannot be read",
  withdrawal_of_unknown: "a withdrawal of an unknown event",
};

// A flag of an uptime: "end_without_start:e17".
export function flag(text) {
  const [name, ...event] = text.split(":");
  return sentence(FLAGS[name] ?? name.replaceAll("_", " ")) + (event.length ? ` (${event.join(":")})` : "");
}

// A move in a queue: "Moved: another message from the customer".
export const moved = (move) => `${sentence(move.kind)}: ${cause(move.cause)}`;
