import { balancesOf, requireAccount, viewAccounts } from '../accounts/index.js';
import { claimLeft, claimQueueRecords, type Dispute, disputeRecords, freezesByIds, heldByClaims } from '../claims/index.js';
import { type NextClearing, nextClearing } from '../clearing/index.js';
import { type BusinessDate, type Calendar, type Id, type Instant, invariant } from '../kernel/index.js';
import { frozenOf, type LedgerAccount, loadBook } from '../ledger/index.js';
import { underWayRecords } from '../payouts/index.js';
import { type Reserve, reservesOn, type Watch, watchOn } from '../refunds/index.js';
import { reviewHoldsOn } from '../reviews/index.js';
import type { Runtime, Tx, Vault } from '../runtime/index.js';
import { type Explained, explained, type HeldLine, type NotCreditedLine } from './rules.js';
import { bidLines, holdLines, notCreditedLines, underWayLines } from './store.js';

/** Why an account's money may move or not, with the moment and the business date of which it is told. */
export interface AccountExplained extends Explained {
  readonly account: LedgerAccount;
  readonly businessDate: BusinessDate;
  readonly asOf: Instant;
  readonly notCredited: readonly NotCreditedLine[];
  /** When the day's clearing will next pay it out and, as things are now, how much; null: it never does by itself. */
  readonly nextClearing: NextClearing | null;
  readonly calendar: Calendar;
  /** Below what its platform is told, and whether it is. */
  readonly watch: Watch;
  /** What stays on it when its sub-merchant is paid; null: it is nobody’s who is paid. */
  readonly reserve: Reserve | null;
}

/**
 * Explains the figures of an account line by line. Call it in a snapshot: everything must be of one moment.
 * @param owner the platform that asks; absent for the bank's staff
 * @throws Refused NOT_FOUND
 */
export async function explainAccount(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar' | 'vault'>,
  id: Id,
  owner: Id | undefined,
): Promise<AccountExplained> {
  const { platformId } = await requireAccount(tx, id, owner);
  const [view] = await viewAccounts(tx, platformId, [id]);
  invariant(view, `account ${id} is there`);
  const { account, merchant } = view;
  const { businessDate } = await loadBook(tx, platformId);
  const lines = {
    uncleared: account.uncleared,
    held: [
      ...(await holdLines(tx, id)),
      ...(await bidLines(tx, account)),
      ...(await reviewLines(tx, id)),
      ...(await claimLines(tx, rt.vault, account)),
    ],
    underWay: await underWayLines(tx, id),
  };
  const under = (await underWayRecords.load(tx, [id])).get(id) ?? { paid: 0n, collected: 0n };
  return {
    ...explained(balancesOf(account), lines, under),
    account,
    businessDate,
    asOf: rt.clock.now(),
    notCredited: await notCreditedLines(tx, { id, platformId }),
    nextClearing: await nextClearing(tx, account, { businessDate, calendar: rt.calendar }),
    calendar: rt.calendar,
    watch: await watchOn(tx, id, platformId),
    reserve: merchant === undefined ? null : ((await reservesOn(tx, [id], businessDate)).get(id) ?? null),
  };
}

/** What is held for instructions that people of the bank look at. */
async function reviewLines(tx: Tx, id: Id): Promise<HeldLine[]> {
  const fixed = { kind: 'review', by: 'bank', purpose: null, count: 1 } as const;
  const holds = await reviewHoldsOn(tx, id);
  return holds.map(({ id: instruction, amount, dueMs }) => ({ ...fixed, id: instruction, amount, of: amount, untilMs: dueMs }));
}

/** Disputes and freezes in their order of arrival, with what each of them has now. */
async function claimLines(tx: Tx, vault: Vault, account: LedgerAccount): Promise<HeldLine[]> {
  const queue = (await claimQueueRecords.load(tx, [account.id])).get(account.id);
  if (queue === undefined || queue.claims.length === 0) return [];
  const idsOf = (kind: 'court' | 'dispute') => queue.claims.filter((claim) => claim.kind === kind).map(({ refId }) => refId);
  const freezes = await freezesByIds(tx, idsOf('court'));
  const disputed = idsOf('dispute');
  const disputes = disputed.length === 0 ? new Map<string, Dispute>() : await disputeRecords.load(tx, disputed);
  return heldByClaims(queue, frozenOf(account)).map(({ claim, held }): HeldLine => {
    const line = { kind: claim.kind, id: claim.refId, amount: held, count: 1 };
    if (claim.kind === 'dispute') {
      const { reason, deadlineMs, ofBank } = disputes.get(claim.refId) ?? {};
      return {
        ...line,
        by: ofBank ? 'bank' : 'platform',
        purpose: reason === undefined ? null : vault.read(reason),
        of: claimLeft(claim),
        untilMs: deadlineMs ?? null,
      };
    }
    const freeze = freezes.get(claim.refId);
    invariant(freeze, `freeze ${claim.refId} is there`);
    const { authority, documentNo, whole, dueMs } = freeze;
    return { ...line, by: 'authority', purpose: authority, of: whole ? null : claimLeft(claim), untilMs: dueMs, documentNo };
  });
}
