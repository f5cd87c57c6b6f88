import { compileTerms, SETTLED_AS_BOUND, type Terms, versionRecords } from '../../src/agreements/index.js';
import { claimQueueRecords, type Deduction, deductionRecords, freezeEndRecords, withClaim } from '../../src/claims/index.js';
import { type Deal, dealRecords } from '../../src/escrow/index.js';
import { kinds } from '../../src/instructions/index.js';
import { type BusinessDate, type Id, instantOf } from '../../src/kernel/index.js';
import { backgroundRecords, categoryRecords, type OrderItem } from '../../src/orders/index.js';
import { channelAccountRecords, collectionRecords, type Payout, payoutRecords } from '../../src/payouts/index.js';
import { exampleDeal } from './example-deals.js';
import { exampleProject, PROJECTS } from './example-projects.js';
import { idOf, type SmallBook } from './small-book.js';

const A = idOf(3);
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const exampleOf = (kind: string) => kinds.get(kind)?.example;

/** What must have happened on the seeded book before the example of a kind makes sense. */
export const BEFORE: Readonly<Record<string, (book: SmallBook) => unknown>> = {
  'payout-returned': (book) => book.give(idOf(301), 'payout-settled', exampleOf('payout-settled')),
  'acquirer-fee': (book) =>
    book.give(idOf(301), 'payment', { ...(exampleOf('payment') as object), reference: 'ST-20260302' }) && giveToOwnFunds(book),
  'channel-settled': (book) => collected(book, 22),
  'collection-credited': (book) => collected(book, 23, idOf(12)),
  'order-complete': payBoundOrder,
  'margin-release': (book) => book.give(idOf(301), 'margin-deposit', { account: `acc_${A}`, amount: cny(5_000) }),
  'dispute-end': (book) => book.give(idOf(12), 'dispute-open', disputed()),
  'judicial-deduction': approveDeduction,
  'escrow-payment': (book) => openDeal(book, 70),
  'escrow-funding': (book) => openDeal(book, 71),
  'escrow-release': (book) => paidDeal(book, 72, 'SO-2003', [{ item: 'lesson-1', role: 'student' }]),
  'escrow-failure': (book) => paidDeal(book, 73, 'SO-2004', STOPPED),
  'escrow-refund': (book) =>
    paidDeal(book, 74, 'SO-2005', STOPPED) &&
    book.give(idOf(312), 'escrow-failure', { escrow: `esc_${idOf(74)}`, stage: 'lesson-1' }),
  ...Object.fromEntries(Object.keys(PROJECTS).map((kind) => [kind, (book: SmallBook) => projectOf(book, kind)])),
  subsidy: giveToMarketing,
  'subsidy-return': (book) => giveToMarketing(book) && book.give(idOf(303), 'subsidy', exampleOf('subsidy')),
};

/** 30.00 that a payment institution has collected of L's card, and what of it is paid over. */
function collected(book: SmallBook, place: number, settledBy: Id | null = null): void {
  const [platformId, payoutId, dueId, collectedId] = [book.platformId, idOf(place), idOf(120), idOf(121)];
  const amount = 3_000n;
  book.open(dueId, 'channel-due', 'channel-due').balance = settledBy === null ? -amount : 0n;
  book.open(collectedId, 'collected', 'collected').balance = amount;
  book.keep(channelAccountRecords, platformId, { platformId, dueId, collectedId });
  const dates = { dueOn: '2026-03-03' as BusinessDate, clearsOn: '2026-03-04' as BusinessDate };
  const of = { payoutId, platformId, channel: 'psp-collect' as const, amount, atOnce: false, reference: payoutId, ...dates };
  book.keep(collectionRecords, payoutId, { ...of, settledBy, creditedBy: null });
  const payout = book.recordOf(payoutRecords, idOf(21)) as Payout;
  const topUp = {
    purpose: 'top-up' as const,
    state: 'settled' as const,
    channel: 'psp-collect' as const,
    sourceAccountId: idOf(6),
  };
  book.keep(payoutRecords, payoutId, { ...payout, ...topUp, id: payoutId, amount });
}

const STOPPED = [{ item: 'student-stops', role: 'student' }];
type Said = readonly { readonly item: string; readonly role: string }[];

/** A course of two lessons for 200.00 that A gives, by a deal; of the second one L pays from her account. */
function openDeal(book: SmallBook, place: number, given: Said = []): void {
  const student = place === 71 ? idOf(6) : null;
  const of = {
    id: idOf(place),
    platformId: book.platformId,
    school: A,
    openedMs: instantOf(Date.parse('2026-03-02T09:00:00+08:00')),
  };
  book.keep(dealRecords, idOf(place), exampleDeal({ ...of, student, given }));
}

function paidDeal(book: SmallBook, place: number, orderNo: string, given: Said): true {
  openDeal(book, place);
  const paid = { ...(exampleOf('escrow-payment') as object), escrow: `esc_${idOf(place)}`, orderNo, amount: cny(20_000) };
  const { effects } = book.give(idOf(311), 'escrow-payment', paid);
  const after = effects.records?.find(({ type }) => type === dealRecords)?.row as Deal;
  const atMs = instantOf(Date.parse('2026-03-03T10:00:00+08:00'));
  book.keep(dealRecords, idOf(place), { ...after, given: given.map((each) => ({ ...each, atMs })) });
  return true;
}

/** The project that the example of a kind of lending speaks of. */
function projectOf(book: SmallBook, kind: string): void {
  const [lily2, marketing] = [idOf(6), book.functional.marketing];
  const accountOf = (id: Id) => book.accounts.get(id) ?? book.open(id, 'sub', '');
  const names = {
    platform: book.platformId,
    anna: A,
    ben: idOf(4),
    lily2,
    now: instantOf(Date.parse('2026-03-03T10:00:00+08:00')),
  };
  exampleProject(kind, names, {
    put: (type, key, row) => book.keep(type, key, row),
    hold: (account, amount) => {
      accountOf(account).held += amount;
    },
    holdMarketing: (amount) => Object.assign(accountOf(marketing), { balance: amount, held: amount }),
  });
}

/** 125.00 are disputed: the 120.00 that the order has, and 5.00 of what A got. */
function disputed() {
  return { ...(exampleOf('dispute-open') as object), amount: cny(12_500) };
}

/** Its commission of the day before, as far as there is any. */
function giveToMarketing(book: SmallBook): unknown {
  const { commission, marketing } = book.functional;
  return book.give(idOf(302), 'transfer', { from: `acc_${commission}`, to: `acc_${marketing}`, amount: cny(800) });
}

/** As much of its commission as an acquirer's fee takes. */
function giveToOwnFunds(book: SmallBook): unknown {
  const { commission, 'own-funds': own } = book.functional;
  return book.give(idOf(302), 'transfer', { from: `acc_${commission}`, to: `acc_${own}`, amount: cny(100) });
}

const TERMS: Terms = {
  rule: {
    levels: {
      order: {
        lines: [{ to: 'commission', take: { percent: 1_000n, of: 'whole' }, min: null, max: null, rounding: 'half-up' }],
        remainder: 'seller',
      },
    },
  },
  ...{ othersCap: 3_000n, profitMax: 1_000n, feeMax: 0n, orderMax: null, volume: { day: null, month: null } },
  ...{ cycle: 'T+1', cycleDays: null, payout: SETTLED_AS_BOUND, refund: 'pro-rata', reserve: 0n, categories: [], forbidden: [] },
};

/** SO-1003 over 100.00, bound to an agreement with A by which the platform gets ten percent. */
function payBoundOrder(book: SmallBook): void {
  const [orderId, version, platformId] = [idOf(301), idOf(53), book.platformId];
  const paid = { ...(exampleOf('payment') as object), orderNo: 'SO-1003', amount: cny(10_000), reference: 'COL-1003' };
  book.give(orderId, 'payment', paid);
  const from = '2026-01-01' as BusinessDate;
  const dates = { version: 1, amends: null, validFrom: from, validTo: null };
  const agreed = { id: version, agreementId: version, platformId, accountId: A, ...dates, terms: TERMS };
  book.keep(versionRecords, version, { ...agreed, rule: compileTerms(TERMS) });
  const category = { code: 'goods', validFrom: from, zh: '百货', en: 'Goods', allowed: true, evidence: 'logistics' as const };
  book.keep(categoryRecords, 'goods', [category]);
  const item: OrderItem = {
    ...{ no: '1', seller: A, version, name: '毛毯', category: 'goods', quantity: 2, price: 9_000n, freight: 1_000n },
    ...{ refunded: 0n, evidence: 'SF1234567890', parts: [] },
  };
  const background = {
    orderId,
    platformId,
    orderNo: 'SO-1003',
    buyer: 'U-1',
    bound: true,
    items: [item],
    completedMs: null,
    dueMs: null,
  };
  book.keep(backgroundRecords, orderId, background);
}

/** An authority has 10.00 of A's frozen; two people of the bank agree to pay it 7.00 of them. */
function approveDeduction(book: SmallBook): void {
  const [id, freezeId, platformId, at] = [idOf(14), idOf(13), book.platformId, instantOf(0)];
  const account = book.accounts.get(A);
  if (account === undefined) throw new Error('A is in the small book');
  account.claimed = 1_000n;
  const claim = { platformId, kind: 'court' as const, refId: freezeId, orderId: null, amount: 1_000n, createdMs: at };
  book.keep(claimQueueRecords, A, withClaim({ accountId: A, lastPlace: 0, claims: [] }, claim));
  const deduction: Deduction = {
    ...{ id, freezeId, accountId: A, platformId, documentNo: '（2026）执1号', amount: 700n, state: 'approved' },
    payee: { name: '某市人民法院', account: '6222020000000000078', bankCode: '' },
    ...{ askedBy: idOf(61), askedMs: at, decidedBy: idOf(62), decidedMs: at, instructionId: null, payoutId: null },
  };
  book.keep(deductionRecords, id, deduction);
  book.keep(freezeEndRecords, freezeId, { dueMs: instantOf(Number.MAX_SAFE_INTEGER) });
}
