import { createHash } from 'node:crypto';
import { electronicRecords } from '../accounts/index.js';
import { agreedOn, agreementRecords } from '../agreements/index.js';
import { canonicalJson, type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { ACCOUNT_TYPES, isElectronic, loadAccounts, loadBook, lockShard } from '../ledger/index.js';
import { requireUser } from '../parties/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { type DealTerms, type Plan, planOf, takesNamedAmounts } from './plan.js';
import { type Deal, nextDue } from './rules.js';
import { findDealByNo, insertDeal } from './store.js';
import { TEMPLATES } from './templates/index.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault'>;

export interface NewDeal extends DealTerms {
  readonly escrowNo: string;
  readonly template: string;
}

/**
 * Opens a deal: nothing moves yet. The number is remembered for ever; the same again is answered with the deal as it stands.
 * @throws Refused ESCROW_NO_REUSED, ESCROW_TEMPLATE_UNKNOWN, ESCROW_PARTIES, ESCROW_TERMS, ACCOUNT_NOT_FOUND, AGREEMENT_MISSING,
 *   AGREEMENT_ENDED, NOT_FOUND (a user that the platform does not have)
 */
export async function openDeal(rt: Parts, platformId: Id, asked: NewDeal): Promise<{ deal: Deal; repeated: boolean }> {
  const wire = JSON.parse(
    JSON.stringify(asked, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
  ) as unknown;
  const content = createHash('sha256').update(canonicalJson(wire)).digest();
  const before = async (tx: Tx) => {
    const known = await findDealByNo(tx, platformId, asked.escrowNo);
    if (known === undefined) return undefined;
    if (!known.content.equals(content)) throw new Refused(refuse('ESCROW_NO_REUSED', undefined, { escrowNo: asked.escrowNo }));
    return { deal: known.deal, repeated: true };
  };
  const id = rt.newId();
  const open = () =>
    rt.db.withTx(
      'open escrow',
      async (tx) => (await before(tx)) ?? { deal: await write(tx, rt, { id, platformId, asked, content }), repeated: false },
      async () => {
        const known = await rt.db.read('opened escrow', before);
        return known?.deal.id === id ? { ...known, repeated: false } : undefined;
      },
    );
  try {
    return await open();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return open();
  }
}

async function write(
  tx: Tx,
  rt: Parts,
  { id, platformId, asked, content }: { id: Id; platformId: Id; asked: NewDeal; content: Buffer },
): Promise<Deal> {
  const template = TEMPLATES.get(asked.template);
  if (template === undefined) throw new Refused(refuse('ESCROW_TEMPLATE_UNKNOWN', undefined, { template: asked.template }));
  // Whoever closes an account holds the shard as well: one of the two sees the other.
  const { nowMs: openedMs } = await lockShard(tx, (await loadBook(tx, platformId)).shardId, rt.clock.now());
  const plan = planOf(template, asked, openedMs);
  if ('code' in plan) throw new Refused(plan);
  const credited = await checkParties(tx, rt, platformId, plan);
  const stages = plan.stages.map(({ key }) => ({ key, funded: 0n, fundedMs: null, end: null }));
  const base = { id, platformId, escrowNo: asked.escrowNo, plan, openedMs, stages, given: [], decided: [] };
  const deal: Deal = { ...base, turn: 0, dueMs: null, endedMs: null };
  const due = { ...deal, dueMs: nextDue(deal, [], openedMs) };
  await insertDeal(tx, due, content, credited);
  return due;
}

/**
 * Accounts are open ones of this platform; who receives has a sub-account, an electronic account, or is the platform's commission. The
 * platform itself gets what the deal names an amount for and no more; and where orders need agreements, so does a sub-merchant of a deal.
 * @returns the accounts that the deal may have to credit: of who receives, and of a sub-merchant who pays. What goes back to an electronic
 *   account that is closed meanwhile goes to its card.
 */
async function checkParties(tx: Tx, rt: Parts, platformId: Id, plan: Plan): Promise<Id[]> {
  const ids = plan.parties.flatMap(({ account }) => account ?? []);
  const accounts = await loadAccounts(tx, ids, () => '9999-12-31' as never);
  const book = await loadBook(tx, platformId);
  const agreements = ids.length === 0 ? new Map() : await agreementRecords.load(tx, ids);
  const electronic = ids.length === 0 ? new Map() : await electronicRecords.load(tx, ids);
  const credited: Id[] = [];
  for (const { role, account: accountId, user } of plan.parties) {
    if (user !== null) await requireUser(tx, platformId, user, rt.vault);
    if (accountId === null) continue;
    const account = accounts.get(accountId);
    const isEnding = electronic.get(accountId)?.state === 'closing';
    if (account?.platformId !== platformId || account.state === 'closed' || isEnding)
      throw new Refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', accountId), role }));
    const { type } = account;
    if (type !== 'sub' && type !== 'commission' && !isElectronic(type))
      throw new Refused(refuse('ESCROW_PARTIES', `No party has an account like that: ${ACCOUNT_TYPES[type].en}.`, { role }));
    if (type === 'commission' && !takesNamedAmounts(plan, role))
      throw new Refused(
        refuse('ESCROW_PARTIES', 'The platform itself gets a named amount of a deal and nothing else.', { role }),
      );
    const receives = plan.roles.some((each) => each.role === role && each.receives);
    if (receives || type === 'sub') credited.push(accountId);
    if (type !== 'sub' || !receives || book.terms.agreements !== 'required') continue;
    const agreed = agreedOn(agreements.get(accountId), accountId, book.businessDate);
    if ('code' in agreed) throw new Refused(agreed);
  }
  return credited;
}
