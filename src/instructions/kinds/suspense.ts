import { z } from 'zod';
import { BALANCE_MAX, type Id, type Minor, type Refusal, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { isElectronic, type Posting } from '../../ledger/index.js';
import { openPayee } from '../../payouts/index.js';
import { moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { leftOf, proposalRecords, type SuspenseItem, type SuspenseProposal, suspenseRecords } from '../../suspense/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import { suspended } from '../effects/suspense.js';
import { type At, arrivalDate, change, type Facts, type Kind, type RecordChange, refused } from '../kind.js';
import { isSameAccount, PAYER_FIELDS, payer, reference, storedPayer } from '../wire.js';

const creditSchema = z.strictObject({
  amount: moneySchema,
  payer,
  reference,
  told: textSchema(256).optional().meta({ description: 'The words that came with it' }),
});

/**
 * Money of which nobody knows whose it is: the core bank has credited it already, or holds it for the platform (the system's own: a transfer
 * to the custody account's number that names no account). It waits on suspense for two people.
 */
export const suspenseCredit: Kind<z.output<typeof creditSchema>> = {
  name: 'suspense-credit',
  en: 'Money of an unknown payer or purpose',
  zh: '不明款项挂账',
  origins: ['O', 'S'],
  proof: 'inflow',
  schema: creditSchema,
  personal: [...PAYER_FIELDS, { path: ['told'], mask: () => '***' }],
  stored: creditSchema.extend({ payer: storedPayer, told: z.string().optional() }),
  example: {
    amount: { amount: 2500, currency: 'CNY' },
    payer: { name: '王五', account: '6222020000000000078', bankCode: '102100099996' },
    reference: 'CR-20260302-9',
    told: '货款',
  },
  needs: (_data, at) => ({ accounts: [at.book.accounts.custody, at.book.accounts.suspense] }),
  decide({ amount: { amount }, payer: from, reference: of, told }, facts, at) {
    const custody = facts.account(at.book.accounts.custody)?.balance ?? 0n;
    if (amount - custody > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    const clears = workingDayAfter(at.calendar, arrivalDate(at));
    return {
      postings: [
        { account: at.book.accounts.custody, amount: -amount },
        { account: at.book.accounts.suspense, amount, clears },
      ],
      records: [
        suspended(at, { amount, source: at.origin === 'S' ? 'transfer' : 'statement', reference: of, payer: from, told, clears }),
      ],
      boundary: [{ reference: of, amount }],
      result: { item: toWire('suspense', at.instruction) },
    };
  },
  undo: {
    origins: ['O'],
    needs: (_data, at, id) => ({
      accounts: [at.book.accounts.custody, at.book.accounts.suspense],
      records: [[suspenseRecords, id]],
    }),
    records({ reference: of, amount }, facts, at, id) {
      const item = facts.record(suspenseRecords, id);
      if (item === undefined) return refuse('SUSPENSE_NOT_FOUND');
      if (leftOf(item) < item.amount) return refuse('SUSPENSE_USED', undefined, { item: toWire('suspense', id) });
      const after: SuspenseItem = { ...item, undone: item.amount, changedMs: at.nowMs };
      return { records: [change(suspenseRecords, id, after)], boundary: [{ reference: of, amount: -amount.amount }] };
    },
  },
};

const attributionSchema = z.strictObject({
  proposal: wireId('proposal'),
  item: wireId('suspense'),
  account: wireId('account'),
  amount: moneySchema,
});
const returnSchema = z.strictObject({ proposal: wireId('proposal'), item: wireId('suspense'), amount: moneySchema });

/** What an approved proposal takes of an item: both as they are when it is posted, or why it cannot be. */
function taken(
  data: z.output<typeof returnSchema>,
  of: Pick<SuspenseProposal, 'action' | 'accountId'>,
  facts: Facts,
  at: At,
): Refusal | { item: SuspenseItem; records: RecordChange[] } {
  const { amount } = data.amount;
  const proposal = facts.record(proposalRecords, data.proposal);
  const says =
    proposal?.state === 'approved' &&
    proposal.itemId === data.item &&
    proposal.action === of.action &&
    proposal.accountId === of.accountId &&
    proposal.amount === amount;
  if (!says) return refuse('PROPOSAL_NOT_APPROVED', undefined, { proposal: toWire('proposal', data.proposal) });
  const item = facts.record(suspenseRecords, data.item);
  if (item === undefined) return refuse('SUSPENSE_NOT_FOUND', undefined, { item: toWire('suspense', data.item) });
  if (amount > leftOf(item))
    return refuse('SUSPENSE_EXCEEDED', undefined, { item: toWire('suspense', item.id), left: String(leftOf(item)) });
  const share = of.action === 'attribute' ? { attributed: item.attributed + amount } : { returned: item.returned + amount };
  const after: SuspenseItem = { ...item, ...share, changedMs: at.nowMs };
  return {
    item,
    records: [
      change(suspenseRecords, item.id, after),
      change(proposalRecords, proposal.id, { ...proposal, state: 'done' as const }),
    ],
  };
}

/** Money that has not cleared stays so for its new owner; other items on the account keep what they have. */
function drawn(item: SuspenseItem, amount: Minor, at: At): { isYoung: boolean; posting: Posting } {
  const isYoung = item.clears !== null && item.clears > at.book.businessDate;
  const draw = isYoung ? ('uncleared-first' as const) : ('cleared-first' as const);
  return { isYoung, posting: { account: at.book.accounts.suspense, amount: -amount, draw } };
}

/** How the limits of the law count it: as it would have been counted, had it come to the account at once. */
function flowOf(item: SuspenseItem, account: Id, facts: Facts, at: At): 'bound' | 'unbound' | 'exempt' {
  if (item.fromAccountId === account) return item.source === 'top-up' ? 'bound' : 'exempt';
  const own = facts.record(settlementAccountRecords, account);
  if (own === undefined) return 'unbound';
  return isSameAccount(openPayee({ payee: own }, at.vault), openPayee({ payee: item.payer }, at.vault)) ? 'bound' : 'unbound';
}

/** Money on suspense goes to the member whose it is, as one person of the bank proposed and another approved. */
export const suspenseAttribution: Kind<z.output<typeof attributionSchema>> = {
  name: 'suspense-attribution',
  en: 'Attribution of money on suspense to a member',
  zh: '挂账认领入账',
  origins: ['S'],
  proof: 'two-people',
  schema: attributionSchema,
  example: {
    proposal: 'prp_2236512894231552051',
    item: 'sus_2236512894231552050',
    account: 'acc_2236512894231552003',
    amount: { amount: 700, currency: 'CNY' },
  },
  needs: (data, at) => ({
    accounts: [data.account, at.book.accounts.suspense],
    records: [
      [proposalRecords, data.proposal],
      [suspenseRecords, data.item],
      [settlementAccountRecords, data.account],
    ],
  }),
  decide(data, facts, at) {
    const of = taken(data, { action: 'attribute', accountId: data.account }, facts, at);
    if ('code' in of) return refused(of);
    const account = facts.account(data.account);
    if (account === undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
    if (account.type !== 'sub' && !isElectronic(account.type))
      return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const { amount } = data.amount;
    const { isYoung, posting } = drawn(of.item, amount, at);
    return {
      postings: [
        posting,
        {
          account: account.id,
          amount,
          ...(isYoung && of.item.clears !== null ? { clears: of.item.clears } : {}),
          ...(isElectronic(account.type) ? { flow: flowOf(of.item, account.id, facts, at) } : {}),
        },
      ],
      records: of.records,
    };
  },
  undo: {
    origins: ['O'],
    needs: (data, at) => ({
      accounts: [data.account, at.book.accounts.suspense],
      records: [
        [proposalRecords, data.proposal],
        [suspenseRecords, data.item],
      ],
    }),
    records(data, facts, at) {
      const proposal = facts.record(proposalRecords, data.proposal);
      const item = facts.record(suspenseRecords, data.item);
      if (item === undefined || proposal === undefined) return refuse('SUSPENSE_NOT_FOUND');
      const attributed = item.attributed - data.amount.amount;
      return {
        records: [
          change(suspenseRecords, item.id, { ...item, attributed, changedMs: at.nowMs }),
          change(proposalRecords, proposal.id, { ...proposal, state: 'undone' as const }),
        ],
      };
    },
  },
};

/** Money on suspense goes back to the account that it came from, as one person of the bank proposed and another approved. */
export const suspenseReturn: Kind<z.output<typeof returnSchema>> = {
  name: 'suspense-return',
  en: 'Return of money on suspense to its payer',
  zh: '挂账退回',
  origins: ['S'],
  proof: 'two-people',
  schema: returnSchema,
  example: {
    proposal: 'prp_2236512894231552052',
    item: 'sus_2236512894231552050',
    amount: { amount: 700, currency: 'CNY' },
  },
  needs: (data, at) => ({
    accounts: [at.book.accounts.suspense, at.book.accounts['in-transit']],
    records: [
      [proposalRecords, data.proposal],
      [suspenseRecords, data.item],
    ],
  }),
  decide(data, facts, at) {
    const of = taken(data, { action: 'return', accountId: null }, facts, at);
    if ('code' in of) return refused(of);
    const { item } = of;
    const { amount } = data.amount;
    if (item.payer.account === '')
      return refused(refuse('SUSPENSE_PAYER_UNKNOWN', undefined, { item: toWire('suspense', item.id) }));
    const { isYoung, posting } = drawn(item, amount, at);
    if (isYoung) return refused(refuse('FUNDS_UNCLEARED', undefined, { account: toWire('account', posting.account) }));
    const { suspense } = at.book.accounts;
    const { fundedOn, payer: payee } = item;
    const { no, records, events } = orderedPayout(at, { purpose: 'suspense-return', source: suspense, amount, payee, fundedOn });
    return {
      postings: [posting, { account: at.book.accounts['in-transit'], amount }],
      records: [...of.records, ...records],
      events,
      result: { payout: no },
    };
  },
};
