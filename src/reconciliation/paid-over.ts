import { type Desk, type Directive, decideNow } from '../dispatch/index.js';
import { systemInstruction } from '../instructions/index.js';
import { addDays, type BusinessDate, type Id, type Minor, toWire, toWireMoney } from '../kernel/index.js';
import { type Collection, type DueSum, dueCollections, dueSums, uncreditedCollections } from '../payouts/index.js';
import type { Difference, Finding, Outstanding } from './rules.js';
import { laterBoundary } from './store.js';

/** What the statement of a day says of what channels were to pay over by then. */
export interface PaidOver {
  readonly findings: readonly Finding[];
  /** Sums that came as the books expected them. */
  readonly came: readonly DueSum[];
  /** Differences that are no matter of what channels pay over. */
  readonly others: readonly Difference[];
}

const CHUNK = 500; // as many as one instruction names
const INSTRUCTIONS_MAX = 40;

/**
 * Holds what channels owe against a statement. A sum that came is a matter of timing: the books post it on the date that is open. Another sum than
 * the books expect, and one that has not come when it was due or before some of it could leave, is a break for a person; until he has looked the
 * day does not prove, and nothing leaves.
 */
export async function matchPaidOver(
  { rt }: Desk,
  { platformId, date }: { readonly platformId: Id; readonly date: BusinessDate },
  differences: readonly Difference[],
  outstanding: readonly Outstanding[],
): Promise<PaidOver> {
  const { due, later } = await rt.db.read('due-of-channels', async (tx) => {
    const due = await dueSums(tx, platformId);
    const references = due.map(({ reference }) => reference);
    return { due, later: await laterBoundary(tx, platformId, date, references) };
  });
  const findings: Finding[] = [];
  const came: DueSum[] = [];
  const others = new Set(differences);
  const seen = new Set(outstanding.map(({ reference }) => reference));
  for (const sum of due) {
    const line = differences.find(({ reference, ours }) => reference === sum.reference && ours === null);
    // A run that was killed may have posted a part of it.
    const expected = sum.amount + (later.get(sum.reference) ?? 0n);
    if (line?.theirs === expected) {
      came.push(sum);
      findings.push({ ...line, class: 'only-theirs', timing: true, converge: null });
    } else if (line?.theirs != null) {
      findings.push({
        ...line,
        ours: expected,
        class: 'amount-differs',
        timing: false,
        converge: null,
        difference: -line.theirs,
      });
    } else if (isOverdue(sum, date) && !seen.has(sum.reference)) {
      findings.push(overdue(sum.reference, expected));
    } else continue;
    if (line !== undefined) others.delete(line);
  }
  return { findings, came, others: [...others] };
}

function isOverdue({ dueOn, clearsOn }: DueSum, date: BusinessDate): boolean {
  return dueOn <= date || (clearsOn !== null && clearsOn <= addDays(date, 1));
}

/** It stands between nobody's books: neither the bank nor our custody account has it. */
function overdue(reference: string, ours: Minor): Finding {
  return { reference, ours, theirs: null, lines: [], class: 'only-ours', timing: false, converge: null, difference: 0n };
}

/** Posts what came, and credits what waited for it. Done again, it does what was not done. */
export async function takePaidOver(desk: Desk, platformId: Id, shardId: number, came: readonly DueSum[]): Promise<void> {
  for (const { reference } of came) {
    for (;;) {
      const open = await desk.rt.db.read('due-collections', (tx) => dueCollections(tx, platformId, reference, CHUNK));
      if (open.length === 0) break;
      await decideNow(desk, [settledDirective(platformId, shardId, reference, open)]);
    }
  }
  for (let round = 0; ; round += 1) {
    const waiting = await desk.rt.db.read('uncredited', (tx) => uncreditedCollections(tx, platformId, CHUNK));
    if (waiting.length === 0 || round === INSTRUCTIONS_MAX) return;
    await decideNow(
      desk,
      waiting.map(({ payoutId }) => creditedDirective(platformId, shardId, payoutId)),
    );
  }
}

function settledDirective(platformId: Id, shardId: number, reference: string, of: readonly Collection[]): Directive {
  const [first] = of as readonly [Collection, ...Collection[]];
  const amount = of.reduce((sum, collection) => sum + collection.amount, 0n);
  const data = {
    channel: first.channel,
    amount: toWireMoney(amount),
    reference,
    payouts: of.map(({ payoutId }) => toWire('payout', payoutId)),
  };
  const requestNo = `channel-settled:${first.payoutId}`;
  return {
    shardId,
    submission: systemInstruction({ platformId, requestNo, kind: 'channel-settled', data, actor: 'reconciliation' }),
  };
}

function creditedDirective(platformId: Id, shardId: number, payoutId: Id): Directive {
  const data = { payout: toWire('payout', payoutId) };
  const requestNo = `collection-credited:${payoutId}`;
  return {
    shardId,
    submission: systemInstruction({ platformId, requestNo, kind: 'collection-credited', data, actor: 'reconciliation' }),
  };
}
