import { z } from 'zod';
import { electronicRecords } from '../../../accounts/index.js';
import { type Id, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import { availableOf, type HoldChange, isElectronic } from '../../../ledger/index.js';
import {
  type Bid,
  bidRecords,
  bidTotal,
  cancelled,
  decideBid,
  openBidRecords,
  type Project,
  projectKey,
  projectRecords,
  withRaised,
} from '../../../lending/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { passageRefusal } from '../../judging/limits.js';
import { type At, change, type Facts, type Kind, refused } from '../../kind.js';
import { flowOf, projectChange, projectIn, projectNo, unknownProject } from './project.js';

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
  needs: ({ projectNo: no, account, marketing }, at) => ({
    accounts: [account, ...(marketing === undefined ? [] : [at.book.accounts.marketing])],
    records: [[projectRecords, projectKey(at.platformId, no)]],
  }),
  needsThen({ projectNo: no }, facts, at) {
    const project = projectIn(facts, at, no);
    return project === undefined ? {} : { records: [[openBidRecords, project.id]] };
  },
  decide(data, facts, at) {
    const project = projectIn(facts, at, data.projectNo);
    if (project === undefined) return refused(unknownProject(data.projectNo));
    const account = facts.account(data.account);
    if (account === undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
    if (!isElectronic(account.type)) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const [own, marketing] = [data.amount.amount, data.marketing?.amount ?? 0n];
    const others = facts.record(openBidRecords, project.id)?.bids ?? [];
    const before = others.reduce((sum, other) => (other.account === account.id ? sum + bidTotal(other) : sum), 0n);
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

const heldOf = (account: Id, amount: bigint): HoldChange[] => (amount === 0n ? [] : [{ account, amount }]);

/** Whoever borrows, stands for it, or is paid in his place would pay himself; and the same person is the same on every account of his. */
export function isParty({ borrower, guarantor, payee }: Project, lender: Id, facts: Facts): Refusal | undefined {
  const ownerOf = (account: Id) => {
    const electronic = isElectronic(facts.account(account)?.type) ? facts.record(electronicRecords, account) : undefined;
    return electronic?.customerId ?? account;
  };
  const parties = [borrower, guarantor, payee].flatMap((account) => (account === null ? [] : [ownerOf(account)]));
  return parties.includes(ownerOf(lender)) ? refuse('LENDER_NOT_ALLOWED') : undefined;
}

function withoutMarketing(amount: bigint, facts: Facts, at: At): Refusal | undefined {
  if (amount === 0n) return undefined;
  const account = facts.account(at.book.accounts.marketing);
  if (account !== undefined && availableOf(account) >= amount) return undefined;
  return refuse('FUNDS_INSUFFICIENT', undefined, { account: toWire('account', at.book.accounts.marketing) });
}

const cancelSchema = z.strictObject({
  bid: wireId('bid'),
  amount: moneySchema.optional().meta({ description: 'How much of the bid; absent: all of it' }),
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
    return {
      accounts: found.marketing > 0n ? [at.book.accounts.marketing] : [],
      records: [[projectRecords, projectKey(at.platformId, found.projectNo)]],
    };
  },
  decide({ bid: id, amount }, facts, at) {
    const found = facts.record(bidRecords, id);
    const project = found && projectIn(facts, at, found.projectNo);
    if (found === undefined || project === undefined)
      return refused(refuse('BID_NOT_FOUND', undefined, { bid: toWire('bid', id) }));
    const taken = amount?.amount ?? bidTotal(found);
    const left = cancelled(found, taken);
    if ('code' in left) return refused(left);
    const after = withRaised(project, -taken, left.state === 'open' ? 0 : -1, at.parameters);
    return {
      postings: [],
      holds: [
        { account: found.account, amount: left.own - found.own },
        ...heldOf(at.book.accounts.marketing, left.marketing - found.marketing),
      ].filter((hold) => hold.amount !== 0n),
      records: [change(bidRecords, id, left), projectChange(after, at)],
      result: { left: String(bidTotal(left)) },
    };
  },
};
