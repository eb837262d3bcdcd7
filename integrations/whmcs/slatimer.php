<?php
/**
 * slatimer for WHMCS: tells the service-level timer what happens to tickets.
 *
 * WHMCS has no webhooks, only hooks that run inside the page request. This one file, copied to `includes/hooks/`, sends
 * each of them as signed JSON (Standard Webhooks). It guards one rule: a ticket is never blocked and never delayed by
 * more than TIMEOUT_SECONDS. What cannot be sent is written to a table and sent again after each run of the WHMCS cron,
 * with the same id and the instant at which it happened, so that nothing is lost, doubled or dated wrongly.
 *
 * Instants are UTC to the microsecond: two hooks of one page request keep their order.
 */

namespace Slatimer;

use DateTimeImmutable;
use Throwable;
use WHMCS\Database\Capsule;

if (!defined('WHMCS')) {
    die('This file runs inside WHMCS only.');
}

/** Both as `slatimer connect whmcs --desk NAME` prints them. */
const URL = '';
const SECRET = '';

/** A page of WHMCS waits this long at most. */
const TIMEOUT_SECONDS = 2;

/** What one run of the cron sends again at most, so that it ends well within its five minutes. */
const RESEND_AT_MOST = 500;

/** A message is sent for the timer to find a reference in it; the rest of a long one is of no use. */
const LONGEST_TEXT = 4000;

const SPOOL = 'mod_slatimer_spool';

/** Each hook that is told, with the variable that names its ticket: WHMCS spells it in several ways. */
const HOOKS = [
    'TicketOpen' => 'ticketid',
    'TicketOpenAdmin' => 'ticketid',
    'TicketUserReply' => 'ticketid',
    'TicketAdminReply' => 'ticketid',
    'TicketAddNote' => 'ticketid',
    'TicketStatusChange' => 'ticketid',
    'TicketClose' => 'ticketid',
    'TicketPriorityChange' => 'ticketid',
    'TicketDepartmentChange' => 'ticketid',
    'TicketFlagged' => 'ticketid',
    'TicketSubjectChange' => 'ticketid',
    'TicketMerge' => 'masterTicketId',
    'TicketSplit' => 'newTicketID',
    'TicketDelete' => 'ticketId',
];

// A file that was copied and not yet filled in does nothing.
if (URL === '' || SECRET === '') {
    return;
}

foreach (HOOKS as $hook => $idVariable) {
    add_hook($hook, 1, static function ($vars) use ($hook, $idVariable): void {
        guarded(static function () use ($hook, $idVariable, $vars): void {
            tell($hook, (array) $vars, $idVariable);
        });
    });
}

add_hook('AfterCronJob', 1, static function (): void {
    guarded(static function (): void {
        sendSpool();
    });
});

/** Do it; a failure goes to the activity log of WHMCS and never to whoever opened the page. */
function guarded(callable $work): void
{
    try {
        $work();
    } catch (Throwable $fault) {
        try {
            \logActivity('slatimer: ' . $fault->getMessage());
        } catch (Throwable $ignored) {
            // Nothing is left to tell it to; the ticket goes on.
        }
    }
}

/** Send one hook, or keep it for the cron. */
function tell(string $hook, array $vars, string $idVariable): void
{
    $occurredAt = now();
    $ticket = $vars[$idVariable] ?? null;
    $body = encode([
        'source' => 'whmcs-hook/1',
        'hook' => $hook,
        'occurred_at' => $occurredAt,
        'vars' => shortened($vars),
        'ticket' => $ticket === null ? null : ticketRow((int) $ticket),
    ]);
    $id = 'msg_' . bin2hex(random_bytes(12));
    $sent = false;
    try {
        $sent = delivered(send($id, $body));
    } finally {
        // Also after a fault of our own, such as a secret that is none: what happened is not to be lost by it.
        if (!$sent) {
            keep($id, $body, $occurredAt);
        }
    }
}

/** The instant in UTC, to the microsecond. */
function now(): string
{
    return DateTimeImmutable::createFromFormat('U.u', sprintf('%.6F', microtime(true)))->format('Y-m-d\TH:i:s.u\Z');
}

/** The variables of a hook, long texts cut. */
function shortened(array $vars): array
{
    foreach ($vars as $name => $value) {
        if (is_string($value) && strlen($value) > LONGEST_TEXT) {
            $vars[$name] = mb_strcut($value, 0, LONGEST_TEXT, 'UTF-8');
        }
    }
    return $vars;
}

/** A text that is no UTF-8 keeps the rest of the message readable. */
function encode(array $message): string
{
    return json_encode(
        $message,
        JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR
    );
}

/** The ticket as the database has it; null when it is gone, as after TicketDelete, or cannot be read. */
function ticketRow(int $id): ?array
{
    try {
        $row = Capsule::table('tbltickets as t')
            ->leftJoin('tblticketdepartments as d', 'd.id', '=', 't.did')
            ->leftJoin('tblclients as c', 'c.id', '=', 't.userid')
            ->leftJoin('tblclientgroups as g', 'g.id', '=', 'c.groupid')
            ->where('t.id', $id)
            ->first([
                't.id', 't.tid', 't.did as deptid', 'd.name as deptname', 't.userid', 't.name', 't.email',
                'c.email as client_email', 'c.firstname as client_firstname', 'c.lastname as client_lastname',
                'c.companyname as client_company', 'g.groupname as client_group', 't.title as subject', 't.status',
                't.urgency as priority', 't.flag', 't.service', 't.date', 't.lastreply',
            ]);
    } catch (Throwable $fault) {
        // The event itself matters more than the fields beside it.
        return null;
    }
    return $row === null ? null : (array) $row + ['timezone' => date_default_timezone_get()];
}

/** Signed in the Standard Webhooks way: the id stays over all attempts, the time is the attempt's. */
function signature(string $id, int $at, string $body): string
{
    $key = base64_decode((string) preg_replace('/^whsec_/', '', SECRET), true);
    if ($key === false || $key === '') {
        throw new \RuntimeException('SECRET is not set, or is no whsec_ secret');
    }
    return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $key, true));
}

/** One attempt: the HTTP status, or 0 when there was no answer in time. */
function send(string $id, string $body): int
{
    $at = time();
    $curl = curl_init(URL);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => [
            'Content-Type: application/json',
            // Without it curl asks leave before a long body, and waits a second for it.
            'Expect:',
            "webhook-id: $id",
            "webhook-timestamp: $at",
            'webhook-signature: ' . signature($id, $at, $body),
        ],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_FOLLOWLOCATION => false,
        CURLOPT_CONNECTTIMEOUT => TIMEOUT_SECONDS,
        CURLOPT_TIMEOUT => TIMEOUT_SECONDS,
        // Timeouts below a second, as in a name look-up, need it in a threaded PHP.
        CURLOPT_NOSIGNAL => true,
    ]);
    curl_exec($curl);
    return (int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
}

function delivered(int $status): bool
{
    return $status >= 200 && $status < 300;
}

/** Write what could not be sent to the spool. */
function keep(string $id, string $body, string $occurredAt): void
{
    if (!Capsule::schema()->hasTable(SPOOL)) {
        Capsule::schema()->create(SPOOL, static function ($table): void {
            $table->increments('id');
            $table->string('message_id', 64)->unique();
            $table->mediumText('body');
            $table->string('occurred_at', 32);
            $table->unsignedInteger('tries')->default(0);
            $table->unsignedInteger('last_status')->default(0);
        });
    }
    Capsule::table(SPOOL)->insert(['message_id' => $id, 'body' => $body, 'occurred_at' => $occurredAt, 'tries' => 1]);
}

/**
 * Send the spool again, those tried least first, so that one message that is refused holds up no other.
 *
 * No answer or a 5xx ends the run: the service is away, and the next cron comes in minutes. A refused message stays
 * until its cause (mostly the secret) is mended; its tries and status can be read in the table.
 */
function sendSpool(): void
{
    if (!Capsule::schema()->hasTable(SPOOL)) {
        return;
    }
    $waiting = Capsule::table(SPOOL)->orderBy('tries')->orderBy('id')->limit(RESEND_AT_MOST)->get();
    foreach ($waiting as $message) {
        $status = send($message->message_id, $message->body);
        $row = Capsule::table(SPOOL)->where('id', $message->id);
        if (delivered($status)) {
            $row->delete();
            continue;
        }
        $row->update(['tries' => $message->tries + 1, 'last_status' => $status]);
        if ($status === 0 || $status >= 500) {
            return;
        }
    }
}
