import { createHash } from 'node:crypto';
import type { Id } from '../../src/kernel/index.js';
import type { Database, Tx } from '../../src/runtime/index.js';

/**
 * What must be true of the books at every commit, checked from the tables alone: every sum is made here, none is read from
 * the code that is under test. Each sentence that comes back is a violation; of sound books none does.
 * @param platformIds the books to check; all of them when absent
 */
export async function violations(db: Database, platformIds?: readonly Id[]): Promise<string[]> {
  if (platformIds?.length === 0) return [];
  const within = (column: string) => (platformIds === undefined ? '1 = 1' : `${column} IN (${platformIds.join()})`);
  const found: string[] = [];
  await db.snapshot('invariants', async (tx) => {
    for (const [sentence, statement] of Object.entries(STATEMENTS)) {
      for (const row of await tx.rows<Record<string, unknown>>(statement(within)))
        found.push(`${sentence}: ${JSON.stringify(row)}`);
    }
    found.push(...(await brokenChains(tx, within)));
  });
  return found;
}

type Within = (column: string) => string;

/** Each statement finds the rows for which its sentence is not true. */
const STATEMENTS: Readonly<Record<string, (within: Within) => string>> = {
  'all accounts of a book sum to zero, so custody is the sum of the others': (within) =>
    `SELECT platform_id, CAST(SUM(balance) AS CHAR) AS total FROM accounts WHERE ${within('platform_id')}
     GROUP BY platform_id HAVING SUM(balance) <> 0`,
  'custody is what crossed its wall': (within) =>
    `SELECT a.platform_id, a.balance, COALESCE(b.total, 0) AS crossed FROM accounts AS a
     LEFT JOIN (SELECT platform_id, SUM(amount) AS total FROM boundary GROUP BY platform_id) AS b ON b.platform_id = a.platform_id
     WHERE a.type = 'custody' AND ${within('a.platform_id')} AND a.balance + COALESCE(b.total, 0) <> 0`,
  'the entries of an instruction sum to zero': (within) =>
    `SELECT e.instruction_id, CAST(SUM(e.amount) AS CHAR) AS total FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     WHERE ${within('a.platform_id')} GROUP BY e.instruction_id HAVING SUM(e.amount) <> 0 OR COUNT(DISTINCT a.platform_id) <> 1`,
  'no account is below its floor': (within) =>
    `SELECT id, type, balance, held FROM accounts WHERE ${within('platform_id')}
     AND IF(type IN ('custody', 'channel-due'), balance > 0 OR held <> 0, held < 0 OR balance < held)`,
  'held is what is left of the holds': (within) =>
    `SELECT a.id, a.held, COALESCE(h.total, 0) AS open FROM accounts AS a
     LEFT JOIN (SELECT account_id, SUM(left_of) AS total FROM (SELECT account_id, amount - captured - released AS left_of FROM holds
       UNION ALL SELECT account_id, amount FROM review_holds WHERE open_of IS NOT NULL
       UNION ALL SELECT account_id, own FROM lending_bids WHERE state = 'open'
       UNION ALL SELECT k.marketing_id, b.marketing FROM lending_bids AS b JOIN books AS k ON k.platform_id = b.platform_id WHERE b.state = 'open') AS each_hold GROUP BY account_id) AS h ON h.account_id = a.id
     WHERE ${within('a.platform_id')} AND a.held <> COALESCE(h.total, 0)`,
  'what is raised for a project is the sum of its open bids, and it is full when nothing is left to raise': (within) =>
    `SELECT p.project_no, p.state, p.amount, p.raised, p.bids, COALESCE(b.total, 0) AS bid FROM lending_projects AS p
     LEFT JOIN (SELECT project_id, COUNT(*) AS n, SUM(own + marketing) AS total FROM lending_bids WHERE state = 'open' GROUP BY project_id) AS b
       ON b.project_id = p.id
     WHERE ${within('p.platform_id')} AND p.state IN ('registered', 'raising', 'full', 'miscarried', 'cancelled')
       AND (p.raised <> COALESCE(b.total, 0) OR p.bids <> COALESCE(b.n, 0) OR (p.state = 'full') <> (p.raised = p.amount))`,
  'what is left of a project is what is left of the claims on it, and nothing is when it is repaid': (within) =>
    `SELECT p.project_no, p.state, p.principal_left, COALESCE(c.total, 0) AS claims FROM lending_projects AS p
     LEFT JOIN (SELECT project_id, SUM(principal_left) AS total FROM lending_claims GROUP BY project_id) AS c ON c.project_id = p.id
     WHERE ${within('p.platform_id')} AND (p.principal_left <> COALESCE(c.total, 0) OR (p.state = 'lent') <> (p.principal_left > 0))`,
  'what was paid for a borrower and not recovered adds up': (within) =>
    `SELECT p.project_no, p.unrecovered, COALESCE(c.total, 0) AS paid FROM lending_projects AS p
     LEFT JOIN (SELECT project_id, SUM(amount - recovered) AS total FROM lending_compensations GROUP BY project_id) AS c ON c.project_id = p.id
     WHERE ${within('p.platform_id')} AND p.unrecovered <> COALESCE(c.total, 0)`,
  'what is claimed of an account is what is left of the open claims on it': (within) =>
    `SELECT a.id, a.claimed, COALESCE(c.total, 0) AS open FROM accounts AS a
     LEFT JOIN (SELECT account_id, SUM(amount - let_go - taken) AS total FROM claims WHERE ended_ms IS NULL GROUP BY account_id) AS c
       ON c.account_id = a.id
     WHERE ${within('a.platform_id')} AND a.claimed <> COALESCE(c.total, 0)`,
  'a claim is of a dispute that is open or of a freeze that is active, and each of those has its claims': (within) =>
    `SELECT c.account_id, c.place, c.ended_ms, d.state AS dispute, f.state AS freeze FROM claims AS c
     LEFT JOIN disputes AS d ON d.id = c.ref_id AND c.kind = 'dispute' LEFT JOIN judicial_freezes AS f ON f.id = c.ref_id AND c.kind = 'court'
     WHERE ${within('c.platform_id')} AND (c.ended_ms IS NULL) <> (COALESCE(d.state, f.state) IN ('open', 'active'))`,
  'what was deducted of a freeze went out by payouts that did not come back': (within) =>
    `SELECT c.ref_id, c.taken, COALESCE(p.total, 0) AS paid FROM claims AS c
     LEFT JOIN (SELECT j.freeze_id, SUM(o.amount) AS total FROM judicial_deductions AS j JOIN payouts AS o ON o.id = j.payout_id
       WHERE o.state NOT IN ('failed', 'returned') GROUP BY j.freeze_id) AS p ON p.freeze_id = c.ref_id
     WHERE ${within('c.platform_id')} AND c.kind = 'court' AND c.ended_ms IS NULL AND c.taken <> COALESCE(p.total, 0)`,
  'nobody approves what he asked for himself': (within) =>
    `SELECT id FROM judicial_deductions WHERE ${within('platform_id')} AND state IN ('approved', 'ordered') AND asked_by = decided_by`,
  'what has not cleared is part of the balance': (within) =>
    `SELECT a.id, a.balance, SUM(u.amount) AS total FROM accounts AS a JOIN books AS b ON b.platform_id = a.platform_id
     JOIN uncleared AS u ON u.account_id = a.id AND u.due_date > b.business_date
     WHERE ${within('a.platform_id')} GROUP BY a.id, a.balance HAVING SUM(u.amount) > a.balance`,
  'an account tells until when it has uncleared money': (within) =>
    `SELECT a.id, a.uncleared_until, u.due_date FROM accounts AS a JOIN books AS b ON b.platform_id = a.platform_id
     JOIN uncleared AS u ON u.account_id = a.id AND u.amount > 0 AND u.due_date > b.business_date
     WHERE ${within('a.platform_id')} AND (a.uncleared_until IS NULL OR a.uncleared_until < u.due_date)`,
  "an order's counters add up to its account": (within) =>
    `SELECT o.order_no, a.balance, o.paid, o.split, o.returned, o.refunded, o.subsidised, o.subsidy_returned FROM orders AS o
     LEFT JOIN accounts AS a ON a.id = o.account_id AND a.type IN ('order', 'escrow')
     WHERE ${within('o.platform_id')} AND (a.id IS NULL OR a.balance <> o.paid + o.subsidised - o.subsidy_returned - o.split + o.returned - o.refunded)`,
  'no buyer gets back more than he paid, whatever the platform added': (within) =>
    `SELECT order_no, paid, refunded FROM orders WHERE ${within('platform_id')} AND refunded > paid`,
  "an order's shares add up to its counters": (within) =>
    `SELECT o.order_no, o.split, o.returned, s.split AS shares, s.returned AS back FROM orders AS o
     LEFT JOIN (SELECT order_id, SUM(split) AS split, SUM(returned) AS returned FROM order_shares GROUP BY order_id) AS s
       ON s.order_id = o.account_id
     WHERE ${within('o.platform_id')} AND (o.split <> COALESCE(s.split, 0) OR o.returned <> COALESCE(s.returned, 0))`,
  'money in transit is the payouts under way': (within) =>
    `SELECT a.platform_id, a.balance, COALESCE(p.total, 0) AS payouts FROM accounts AS a
     LEFT JOIN (SELECT platform_id, SUM(amount) AS total FROM payouts WHERE state IN ('created', 'sent', 'unknown') AND purpose <> 'top-up' GROUP BY platform_id) AS p
       ON p.platform_id = a.platform_id
     WHERE a.type = 'in-transit' AND ${within('a.platform_id')} AND a.balance <> COALESCE(p.total, 0)`,
  'what channels owe is what they have collected and not paid over': (within) =>
    `SELECT a.platform_id, a.balance, COALESCE(c.total, 0) AS due FROM accounts AS a
     LEFT JOIN (SELECT platform_id, SUM(amount) AS total FROM channel_collections WHERE settled_by IS NULL GROUP BY platform_id) AS c
       ON c.platform_id = a.platform_id
     WHERE a.type = 'channel-due' AND ${within('a.platform_id')} AND a.balance + COALESCE(c.total, 0) <> 0`,
  'what channels owe of money that is used at once is on accounts that cannot let it out before it must be there': (within) =>
    `SELECT d.platform_id, d.clears_on, SUM(c.amount) AS owed, MAX(d.kept) AS kept FROM (
       SELECT each_day.platform_id, each_day.clears_on, (SELECT COALESCE(SUM(u.owed), 0) FROM uncleared AS u JOIN accounts AS a ON a.id = u.account_id
         WHERE a.platform_id = each_day.platform_id AND u.due_date >= each_day.clears_on) AS kept
       FROM (SELECT DISTINCT n.platform_id, n.clears_on FROM channel_collections AS n JOIN books AS b ON b.platform_id = n.platform_id
         WHERE n.at_once = 1 AND n.settled_by IS NULL AND n.clears_on > b.business_date) AS each_day) AS d
     JOIN channel_collections AS c ON c.platform_id = d.platform_id AND c.at_once = 1 AND c.settled_by IS NULL AND c.clears_on >= d.clears_on
     WHERE ${within('d.platform_id')} GROUP BY d.platform_id, d.clears_on HAVING SUM(c.amount) > MAX(d.kept)`,
  'what a channel owes of a slice is part of it, and none of it is on its way out': (within) =>
    `SELECT u.account_id, u.due_date, u.amount, u.owed, a.type FROM uncleared AS u JOIN accounts AS a ON a.id = u.account_id
     WHERE ${within('a.platform_id')} AND (u.owed > u.amount OR (u.owed > 0 AND a.type IN ('in-transit', 'custody', 'channel-due')))`,
  'what was collected and is not credited waits on its account, and nothing else does': (within) =>
    `SELECT a.platform_id, a.balance, COALESCE(c.total, 0) AS waiting FROM accounts AS a
     LEFT JOIN (SELECT platform_id, SUM(amount) AS total FROM channel_collections WHERE credited_by IS NULL GROUP BY platform_id) AS c
       ON c.platform_id = a.platform_id
     WHERE a.type = 'collected' AND ${within('a.platform_id')} AND a.balance <> COALESCE(c.total, 0)`,
  'a collection that is paid over later is a settled payout of its amount, and crossed the wall once it was paid over': (
    within,
  ) =>
    `SELECT c.payout_id, p.state, p.amount, c.amount AS collected FROM channel_collections AS c LEFT JOIN payouts AS p ON p.id = c.payout_id
     LEFT JOIN (SELECT settled_by, SUM(amount) AS total FROM channel_collections GROUP BY settled_by) AS s ON s.settled_by = c.settled_by
     LEFT JOIN boundary AS b ON b.instruction_id = c.settled_by
     WHERE ${within('c.platform_id')} AND (COALESCE(p.state, '') <> 'settled' OR p.amount <> c.amount
       OR (c.settled_by IS NOT NULL AND COALESCE(b.amount, 0) <> s.total) OR (c.settled_by IS NULL AND c.credited_by IS NULL AND c.at_once = 1))`,
  'what is left of the items is the balance of suspense': (within) =>
    `SELECT a.platform_id, a.balance, COALESCE(s.total, 0) AS items FROM accounts AS a
     LEFT JOIN (SELECT platform_id, SUM(amount - attributed - returned - undone) AS total FROM suspense_items WHERE state = 'open'
       GROUP BY platform_id) AS s ON s.platform_id = a.platform_id
     WHERE a.type = 'suspense' AND ${within('a.platform_id')} AND a.balance <> COALESCE(s.total, 0)`,
  'an item is open while something is left of it, and each is the credit of its instruction': (within) =>
    `SELECT s.id, s.state, s.amount, e.amount AS credited FROM suspense_items AS s
     JOIN books AS b ON b.platform_id = s.platform_id LEFT JOIN entries AS e ON e.instruction_id = s.id AND e.account_id = b.suspense_id
     WHERE ${within('s.platform_id')} AND (COALESCE(e.amount, 0) <> s.amount
       OR (s.state = 'open') <> (s.amount - s.attributed - s.returned - s.undone > 0))`,
  'what became of money on suspense, two people decided': (within) =>
    `SELECT s.id, s.attributed, s.returned, p.attributed AS approved, p.returned AS sent_back FROM suspense_items AS s
     LEFT JOIN (SELECT item_id, SUM(IF(action = 'attribute', amount, 0)) AS attributed, SUM(IF(action = 'return', amount, 0)) AS returned
       FROM suspense_proposals WHERE state = 'done' AND decided_by <> proposed_by GROUP BY item_id) AS p ON p.item_id = s.id
     WHERE ${within('s.platform_id')} AND (s.attributed <> COALESCE(p.attributed, 0) OR s.returned <> COALESCE(p.returned, 0))`,
  'only a posted instruction has entries': (within) =>
    `SELECT DISTINCT e.instruction_id FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     LEFT JOIN outcomes AS o ON o.instruction_id = e.instruction_id WHERE ${within('a.platform_id')} AND COALESCE(o.state, '') <> 'posted'`,
  'a refused instruction makes nothing': (within) =>
    `SELECT made.what, made.id FROM (
       SELECT 'boundary' AS what, instruction_id AS id FROM boundary UNION ALL SELECT 'payout', id FROM payouts
       UNION ALL SELECT 'hold', id FROM holds UNION ALL SELECT 'account', id FROM accounts WHERE type IN ('order', 'escrow', 'margin', 'channel-due')
       UNION ALL SELECT 'receivable', instruction_id FROM receivables UNION ALL SELECT 'diversion', instruction_id FROM diversions
       UNION ALL SELECT 'correction', correction_id FROM corrections) AS made
     JOIN instructions AS i ON i.id = made.id LEFT JOIN outcomes AS o ON o.instruction_id = i.id
     WHERE ${within('i.platform_id')} AND COALESCE(o.state, '') <> 'posted'`,
  'no Class III account holds more than its cap, but for the interest of a closing that did not reach the card': (within) =>
    `SELECT a.id, a.balance FROM accounts AS a WHERE a.type = 'class-3' AND ${within('a.platform_id')} AND a.balance >
       (SELECT MAX(p.value) FROM parameters AS p WHERE p.name = 'class-3.balance')
       + IF(EXISTS (SELECT 1 FROM payouts AS p WHERE p.source_account_id = a.id AND p.purpose = 'closing' AND p.state = 'failed'),
           (SELECT COALESCE(SUM(l.amount), 0) FROM interest_lines AS l WHERE l.account_id = a.id), 0)`,
  'what was used of the limits never passes them': (within) =>
    `SELECT e.account_id, u.day, u.day_in, u.day_out, u.year_in, u.year_out FROM limit_use AS u
     JOIN electronic_accounts AS e ON e.account_id = u.account_id WHERE ${within('e.platform_id')} AND (u.day_in < 0 OR u.day_out < 0
       OR u.year_in < u.day_in OR u.year_out < u.day_out
       OR u.day_out > (SELECT MAX(value) FROM parameters WHERE name = CONCAT('class-', u.class, '.out.day'))
       OR u.day_in > (SELECT MAX(value) FROM parameters WHERE name = CONCAT('class-', u.class, '.in.day'))
       OR u.year_out > (SELECT MAX(value) FROM parameters WHERE name = CONCAT('class-', u.class, '.out.year'))
       OR u.year_in > (SELECT MAX(value) FROM parameters WHERE name = CONCAT('class-', u.class, '.in.year')))`,
  'the uses of a mandate are counted one by one and stay within its total': (within) =>
    `SELECT u.mandate_id, u.seq, u.used_total, u.so_far, m.total_cap FROM (
       SELECT *, SUM(amount) OVER (PARTITION BY mandate_id ORDER BY seq) AS so_far,
         ROW_NUMBER() OVER (PARTITION BY mandate_id ORDER BY seq) AS place FROM mandate_uses) AS u
     JOIN mandates AS m ON m.id = u.mandate_id
     WHERE ${within('m.platform_id')} AND (u.so_far <> u.used_total OR u.place <> u.seq OR u.used_total > m.total_cap)`,
  'what a posted debit of an electronic account took was wanted: his consent is used, or a mandate was, or staff has his form, or two people wind his platform up':
    (within) =>
      `SELECT e.instruction_id, i.kind FROM entries AS e JOIN accounts AS a ON a.id = e.account_id AND a.type IN ('class-2', 'class-3')
     JOIN instructions AS i ON i.id = e.instruction_id
     LEFT JOIN consents AS c ON c.subject = 'instruction' AND c.subject_id = e.instruction_id AND c.state = 'used'
     LEFT JOIN mandate_uses AS u ON u.instruction_id = e.instruction_id
     WHERE ${within('a.platform_id')} AND e.amount < 0 AND NOT (i.kind = 'correction' AND i.origin = 'O') AND c.id IS NULL AND u.instruction_id IS NULL
       AND i.kind NOT IN ('judicial-deduction', 'lend-out') AND NOT (i.origin = 'O' AND i.body LIKE '%"voucher"%')
       AND NOT (i.kind IN ('clearing', 'hand-over') AND i.origin = 'S' AND EXISTS (SELECT 1 FROM wind_downs AS w
         WHERE w.platform_id = i.platform_id AND w.live = 1 AND w.decided_by <> w.proposed_by AND w.started_on <= e.business_date))`,
  'what is lent out of an electronic account is what its owner had offered, of his own will': (within) =>
    `SELECT e.instruction_id, e.account_id, e.amount, COALESCE(b.own, 0) AS offered FROM entries AS e
     JOIN accounts AS a ON a.id = e.account_id AND a.type IN ('class-2', 'class-3')
     JOIN instructions AS i ON i.id = e.instruction_id AND i.kind = 'lend-out'
     LEFT JOIN (SELECT b.platform_id, b.project_no, b.account_id, SUM(b.own) AS own FROM lending_bids AS b
       LEFT JOIN consents AS c ON c.subject = 'instruction' AND c.subject_id = b.id AND c.state = 'used'
       LEFT JOIN mandate_uses AS u ON u.instruction_id = b.id
       WHERE b.state = 'lent' AND (c.id IS NOT NULL OR u.instruction_id IS NOT NULL) GROUP BY b.platform_id, b.project_no, b.account_id) AS b
       ON b.platform_id = i.platform_id AND b.project_no = JSON_VALUE(i.body, '$.projectNo') AND b.account_id = e.account_id
     WHERE ${within('a.platform_id')} AND e.amount < 0 AND e.amount + COALESCE(b.own, 0) <> 0`,
  'an instruction waits in the inbox or is decided, never both and never neither': (within) =>
    `SELECT i.id, SUM(p.places) AS places FROM (SELECT id, 0 AS places FROM instructions UNION ALL SELECT instruction_id, 1 FROM outcomes
       UNION ALL SELECT instruction_id, 1 FROM inbox
       UNION ALL SELECT subject_id, 1 FROM consents WHERE subject = 'instruction' AND state = 'pending'
       UNION ALL SELECT instruction_id, 1 FROM reviews WHERE state = 'open'
       UNION ALL SELECT instruction_id, 1 FROM shortages WHERE state = 'waiting') AS p JOIN instructions AS i ON i.id = p.id
     WHERE ${within('i.platform_id')} GROUP BY i.id HAVING SUM(p.places) <> 1`,
  'money is held for a review until its instruction is decided, and what was rejected or lapsed is refused': (within) =>
    `SELECT r.instruction_id, r.state, o.state AS outcome FROM reviews AS r LEFT JOIN outcomes AS o ON o.instruction_id = r.instruction_id
     WHERE ${within('r.platform_id')} AND ((r.state = 'open' AND o.state IS NOT NULL) OR (r.state IN ('rejected', 'lapsed') AND o.state = 'posted')
       OR (o.state IS NOT NULL AND EXISTS (SELECT 1 FROM review_holds AS h WHERE h.instruction_id = r.instruction_id AND h.open_of IS NOT NULL)))`,
  'a review that people approved has two of them, and what people rejected one who did': (within) =>
    `SELECT r.instruction_id, r.state, COUNT(d.operator_id) AS people FROM reviews AS r
     LEFT JOIN review_decisions AS d ON d.instruction_id = r.instruction_id AND d.verdict = IF(r.state = 'rejected', 'reject', 'approve')
     WHERE ${within('r.platform_id')} AND r.state IN ('approved', 'rejected') GROUP BY r.instruction_id, r.state
     HAVING COUNT(d.operator_id) <> IF(r.state = 'approved', 2, 1)`,
  'a refund waits no more exactly when it is decided': (within) =>
    `SELECT s.instruction_id, s.state, o.state AS outcome FROM shortages AS s LEFT JOIN outcomes AS o ON o.instruction_id = s.instruction_id
     WHERE ${within('s.platform_id')} AND (CASE s.state WHEN 'covered' THEN COALESCE(o.state, '') <> 'posted'
       WHEN 'refused' THEN COALESCE(o.state, '') <> 'refused' WHEN 'cancelled' THEN COALESCE(o.state, 'refused') <> 'refused'
       ELSE o.state IS NOT NULL END)`,
  'what waits looks at accounts, and what waits no more at none': (within) =>
    `SELECT s.instruction_id, s.state, COUNT(l.waiting_on) AS looks FROM shortages AS s
     LEFT JOIN outcomes AS o ON o.instruction_id = s.instruction_id
     LEFT JOIN shortage_lines AS l ON l.instruction_id = s.instruction_id
     WHERE ${within('s.platform_id')} GROUP BY s.instruction_id, s.state HAVING (COUNT(l.waiting_on) > 0) <> (MAX(o.state) IS NULL)`,
  'what is recovered of a receivable was diverted from income and not undone': (within) =>
    `SELECT r.instruction_id, r.account_id, r.recovered, COALESCE(d.total, 0) AS diverted FROM receivables AS r
     LEFT JOIN (SELECT target_id, account_id, SUM(amount) AS total FROM diversions WHERE purpose = 'debt' AND undone_by IS NULL
       GROUP BY target_id, account_id) AS d ON d.target_id = r.instruction_id AND d.account_id = r.account_id
     WHERE ${within('r.platform_id')} AND (r.recovered <> COALESCE(d.total, 0) OR (r.open_of IS NULL) <> (r.recovered = r.amount))`,
  'what a platform has advanced is what is owed to it': (within) =>
    `SELECT a.platform_id, a.outstanding, COALESCE(r.owed, 0) AS owed FROM advances AS a
     LEFT JOIN (SELECT platform_id, SUM(amount - recovered) AS owed FROM receivables GROUP BY platform_id) AS r ON r.platform_id = a.platform_id
     WHERE ${within('a.platform_id')} AND a.outstanding <> COALESCE(r.owed, 0)`,
  'a margin account is the margin of one sub-merchant of its platform': (within) =>
    `SELECT a.id, m.account_id FROM accounts AS a LEFT JOIN margins AS m ON m.margin_id = a.id
     LEFT JOIN accounts AS s ON s.id = m.account_id AND s.platform_id = a.platform_id AND s.type = 'sub'
     WHERE a.type = 'margin' AND ${within('a.platform_id')} AND s.id IS NULL`,
  'an outcome names its refusal, and only a refused one does': (within) =>
    `SELECT o.instruction_id, o.state, o.code FROM outcomes AS o LEFT JOIN instructions AS i ON i.id = o.instruction_id
     WHERE i.id IS NULL OR (${within('i.platform_id')} AND (o.state = 'refused') = (o.code IS NULL))`,
  'others hear of every outcome once, and of no other': (within) =>
    `SELECT told.id, told.topic, SUM(told.n) AS n FROM (
       SELECT i.platform_id, o.instruction_id AS id, CONCAT('instruction.', o.state) AS topic, 1 AS n
         FROM outcomes AS o JOIN instructions AS i ON i.id = o.instruction_id
       UNION ALL SELECT platform_id, ref_id, topic, -1 FROM outbox WHERE topic LIKE 'instruction.%') AS told
     WHERE ${within('told.platform_id')} GROUP BY told.id, told.topic HAVING SUM(told.n) <> 0`,
  'others hear of every payout that was made once': (within) =>
    `SELECT told.id, SUM(told.n) AS n FROM (SELECT platform_id, id, 1 AS n FROM payouts
       UNION ALL SELECT platform_id, ref_id, -1 FROM outbox WHERE topic = 'payout.created') AS told
     WHERE ${within('told.platform_id')} GROUP BY told.id HAVING SUM(told.n) <> 0`,
};

interface EntryRow {
  account_id: string;
  seq: string;
  instruction_id: string;
  amount: string;
  balance: string;
  day: string;
  posted_ms: string;
  hash: Buffer;
}

/** Replays every chain from its first entry, with a hash made here. */
async function brokenChains(tx: Tx, within: Within): Promise<string[]> {
  const accounts = await tx.rows<{ id: string; balance: string; entry_count: string; head_hash: Buffer }>(
    `SELECT id, balance, entry_count, head_hash FROM accounts WHERE ${within('platform_id')}`,
  );
  const rows = await tx.rows<EntryRow>(
    `SELECT e.account_id, e.seq, e.instruction_id, e.amount, e.balance, DATE_FORMAT(e.business_date, '%Y%m%d') AS day, e.posted_ms, e.hash
     FROM entries AS e JOIN accounts AS a ON a.id = e.account_id WHERE ${within('a.platform_id')} ORDER BY e.account_id, e.seq`,
  );
  const chains = new Map<string, EntryRow[]>();
  for (const row of rows) {
    const chain = chains.get(row.account_id);
    if (chain === undefined) chains.set(row.account_id, [row]);
    else chain.push(row);
  }
  const found: string[] = [];
  for (const account of accounts) {
    const replayed = replay(chains.get(account.id) ?? []);
    if (replayed.faultAt !== undefined) found.push(`the entries of ${account.id} are no chain from place ${replayed.faultAt} on`);
    if (replayed.balance !== BigInt(account.balance)) found.push(`the balance of ${account.id} is not the sum of its entries`);
    if (replayed.count !== Number(account.entry_count)) found.push(`account ${account.id} counts other entries than it has`);
    if (!replayed.head.equals(account.head_hash)) found.push(`the chain of ${account.id} does not end in its head`);
  }
  return found;
}

function replay(chain: readonly EntryRow[]) {
  let head = Buffer.alloc(32);
  let balance = 0n;
  let faultAt: number | undefined;
  for (const [place, row] of chain.entries()) {
    balance += BigInt(row.amount);
    const text = [row.account_id, row.seq, row.instruction_id, row.amount, row.balance].map((field) => eightBytes(BigInt(field)));
    const day = Buffer.alloc(4);
    day.writeUInt32BE(Number(row.day));
    head = createHash('sha256')
      .update(Buffer.concat([head, ...text, day, eightBytes(BigInt(row.posted_ms))]))
      .digest();
    const sound = Number(row.seq) === place + 1 && BigInt(row.balance) === balance && row.hash.equals(head);
    if (!sound) faultAt ??= place + 1;
  }
  return { head, balance, faultAt, count: chain.length };
}

function eightBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
