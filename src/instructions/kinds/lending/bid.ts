import { z } from 'zod';
import { type Id, type Minor, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import { availableOf, type HoldChange } from '../../../ledger/index.js';
import { type Bid, bidRecords, bidTotal, cancelled, decideBid, openBidRecords, withRaised } from '../../../lending/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { electronicAccount, isSameOwner } from '../../electronic.js';
import { passageRefusal } from '../../judging/limits.js';
import { type At, change, type Facts, type Kind, refused } from '../../kind.js';
import { flowOf, isParty, ofProject, openBidsOn, projectChange, projectIn, projectNeeds, projectNo } from './project.js';

const schema = z.strictObject({
  projectNo,
  account: wireId('account').meta({ description: "The lender's Class II account" }),
  amount: moneySchema.meta({ description: 'What he offers of his own money; it is held on his account' }),
  marketing: moneySchema
    .optional()
    .meta({ description: 'What the platform adds of its marketing money; once lent, it is the lender’s' }),
  mandate: wireId('mandate').optional(),
});

/** A lender offers money to a project: it stays his, held, until the project is lent out, miscarries, or he takes it back. */
export const bid: Kind<z.output<typeof schema>> = {
  name: 'bid',
  en: 'Bid for a project',
  zh: '投标',
  origins: ['P'],
  proof: 'will',
  schema,
  example: { projectNo: 'LP-1001', account: 'acc_2236512894231552006', amount: { amount: 5000, currency: 'CNY' } },
  act: ({ projectNo: project, account, amount, mandate }) => ({ account, amount: amount.amount, payee: { project }, mandate }),
  needs: (data, at) => ({
    accounts: [data.account, ...(data.marketing === undefined ? [] : [at.book.accounts.marketing])],
    records: projectNeeds(data, at),
  }),
  needsThen: ofProject(openBidRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    const account = electronicAccount(data.account, facts);
    if ('code' in account) return refused(account);
    const [own, marketing] = [data.amount.amount, data.marketing?.amount ?? 0n];
    const others = openBidsOn(project, facts).filter((other) => isSameOwner(other.account, account.id, facts));
    const before = others.reduce((sum, other) => sum + bidTotal(other), 0n);
    const refusal =
      isParty(project, account.id, facts) ??
      decideBid(project, { own, marketing }, before, at.nowMs) ??
      passageRefusal(facts, at, { account: account.id, amount: -own, flow: flowOf(at) }) ??
      withoutMarketing(marketing, facts, at);
    if (refusal !== undefined) return refused(refusal);
    const placed: Bid = {
      ...{ id: at.instruction, platformId: at.platformId, projectId: project.id },
      ...{ projectNo: project.projectNo, account: account.id, own, marketing, cancelled: 0n, state: 'open', createdMs: at.nowMs },
    };
    const after = withRaised(project, own + marketing, 1, at.parameters);
    return {
      postings: [],
      holds: [{ account: account.id, amount: own }, ...heldOf(at.book.accounts.marketing, marketing)],
      records: [change(bidRecords, placed.id, placed), projectChange(after, at)],
      result: { bid: toWire('bid', placed.id), project: after.state, left: String(after.amount - after.raised) },
    };
  },
};

const heldOf = (account: Id, amount: Minor): HoldChange[] => (amount === 0n ? [] : [{ account, amount }]);

function withoutMarketing(amount: Minor, facts: Facts, at: At): Refusal | undefined {
  if (amount === 0n) return undefined;
  const account = facts.account(at.book.accounts.marketing);
  if (account !== undefined && availableOf(account) >= amount) return undefined;
  return refuse('FUNDS_INSUFFICIENT', undefined, { account: toWire('account', at.book.accounts.marketing) });
}

const cancelSchema = z.strictObject({
  bid: wireId('bid'),
  amount: moneySchema
    .optional()
    .meta({ description: 'How much of the bid, out of own and marketing money in proportion; absent: all of it' }),
});

/** A bid is taken back, in part or whole, while the project is not lent out: what was held is free on the accounts that it stood on. */
export const bidCancel: Kind<z.output<typeof cancelSchema>> = {
  name: 'bid-cancel',
  en: 'Cancellation of a bid',
  zh: '撤标',
  origins: ['P', 'O'],
  proof: 'reservation',
  schema: cancelSchema,
  example: { bid: 'bid_2236512894231552080', amount: { amount: 1000, currency: 'CNY' } },
  needs: ({ bid: id }) => ({ records: [[bidRecords, id]] }),
  needsThen({ bid: id }, facts, at) {
    const found = facts.record(bidRecords, id);
    if (found === undefined) return {};
    return { accounts: found.marketing > 0n ? [at.book.accounts.marketing] : [], records: projectNeeds(found, at) };
  },
  decide({ bid: id, amount }, facts, at) {
    const found = facts.record(bidRecords, id);
    if (found === undefined) return refused(refuse('BID_NOT_FOUND', undefined, { bid: toWire('bid', id) }));
    const project = projectIn(found, facts, at);
    if ('code' in project) return refused(project);
    const taken = amount?.amount ?? bidTotal(found);
    const left = cancelled(found, taken);
    if ('code' in left) return refused(left);
    const after = withRaised(project, -taken, left.state === 'open' ? 0 : -1, at.parameters);
    return {
      postings: [],
      holds: [
        ...heldOf(found.account, left.own - found.own),
        ...heldOf(at.book.accounts.marketing, left.marketing - found.marketing),
      ],
      records: [change(bidRecords, id, left), projectChange(after, at)],
      result: { left: String(bidTotal(left)) },
    };
  },
};
