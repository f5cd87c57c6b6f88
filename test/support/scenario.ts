import type { AskedModelBackground, ModelAgreement } from './model/agreements.js';
import type { Deal } from './model/deals.js';
import type { Person, Wanted } from './model/law.js';
import { boundPayer, ownPayer } from './model/outside.js';
import type { ModelPaying } from './model/paying.js';
import { type Batches, batchSteps } from './verbs/batch.js';
import { TRADE_KINDS, TRADE_VERBS } from './verbs/claim.js';
import { DEAL_STEPS } from './verbs/deal.js';
import { ESCROW_KINDS, ESCROW_STEPS, ESCROW_VERBS, type EscrowBank } from './verbs/escrow.js';
import { EXPLAIN_STEPS, type ExplainBank } from './verbs/explain.js';
import { FUND_KINDS, FUND_STEPS, FUND_VERBS, type FundBank } from './verbs/fund.js';
import { LENDING_KINDS, LENDING_STEPS, LENDING_VERBS, type LendingBank } from './verbs/lending.js';
import { REFUND_VERBS } from './verbs/refund.js';
import { REVIEW_STEPS, type ReviewBank } from './verbs/review.js';
import { WATCH_STEPS, type WatchBank } from './verbs/watch.js';
import { WINDING_UP_STEPS, type WindingUpBank } from './verbs/winding-up.js';
import type { Asked } from './world/world.js';

/**
 * Scenarios: a bank's days as text that a bookkeeper can read, one step a line, run on any `Bank`.
 *
 *   day 2026-03-02                                  opens the first platform's book on that day; `platform other` opens one more
 *   sellers anna, ben                               sub-merchants with a settlement account; `seller carl unbound` has none
 *   terms transfer 100.00 fee 5.00                  what the bank agreed with the platform
 *   pay P1 buyer → order:7 100.00                   every instruction: its kind, its request number, what it says …
 *   split S1 order:7 → anna 60.00, ben 39.40        … and, where the bank says no, `refused CODE`; `by bank` where the bank gives it
 *   expect anna 60.00 uncleared 60.00, order:7 0.60
 *   refund F1 order:7 9.00 recall pro-rata waits    a refund after a split (or `recall anna 9.00`); it waits for money. Later: stands F1 posted;
 *                                                   cancel F1; advance up to 5.00; margin of anna up to 9.00; margin:anna, anna owes
 *   replay S1                                       same number, same body: the same answer, and nothing new
 *   agreement anna: commission 10.00% of goods, ben 5.00% of whole max 3.00; cap 30.00% [order 500.00] [day 900.00] [fee 2.00] [reserve 9.00]
 *     [paid T+5|weekly-5|monthly-31|D+1|… [held back 3] [at least 50.00] [to sub-account] [costing 0.60 [+ 0.10%]]] from DATE [until DATE]
 *                                                   what she agreed, approved; `agreements required`: no order without
 *   buy B1 lily → order:7 100.00: milk 80.00 + 5.00 of anna goods; tea 15.00 of ben goods shown WB-1   a payment with its background
 *   combine M1 lily 30.00 → order:8 10.00: milk 10.00 of anna goods | order:9 20.00   one payment for several orders
 *                                                   `cap 30.00% named`: the platform may name who gives a refund back
 *   refund F2 order:7 9.00 of milk 5.00, tea        of these items; `keep` or `subsidy 1.00` says what of the subsidy goes back with it
 *   subsidy U1 order:7 20.00                        the platform's own money for an order; unsubsidise U2 order:7 5.00
 *   share S2 order:7 [milk 20.00, tea shown WB-2]   a split that the agreements make; complete C1 order:7
 *   customer lily [id until DATE]                   a person whom the bank knows; stop lily, free lily, document lily
 *   register lily born DATE mobile NUMBER           she becomes a user of the platform: until DATE, unknown, as another say what is wrong
 *   open lily-2 class 2 for lily [on KIND] [mobile NUMBER]   asks for an account on a card: class-1, class-2, class-3, credit, payment,
 *                                                   frozen, missing; `lending strict` opens a platform of that profile
 *   account lily-2 class 2 of lily [face to face]   her electronic account, its card bound; block, unblock, reverify, see lily-2
 *   mandate M1 lily-2 for account-payment to orders, anna; payment 50.00 total 90.00 [day 60.00] until DATE; revoke M1
 *   epay E1 lily-2 → order:7 20.00 yes              what she is asked for ends with her answer: yes, no, late, locked, stranger;
 *                                                   unasked; under M1 where the mandate stands in for it
 *   unknown U1 stranger 25.00                       money that the core bank has and nobody expected: it stands on suspense
 *   incoming I1 owner → anna 10.00                  a transfer to a virtual account number; `owner` or `card` is who is bound to the account;
 *                                                   accepts anna own-account: from whom it takes any (anyone, own-account, nobody)
 *   unknown U2 stranger 25.00 by system             a transfer to the custody account's own number
 *   collected at-once                               a bank's term: what a channel collects that pays over later can be used inside the platform
 *   keeps F1 ST1 0.90                               what an acquirer kept of a sum that it paid over
 *   take-over M1 anna 5.00 as MV1                   what she had at another custodian and has here now; `hand-over` the other way round
 *   adjust J1 anna bears 5.00 as ST1                what the bank moved and the books had not; `gets` the other way round
 *   send T1 by psp-collect; paidover C1 PS1 T1, T2 90.00; credited K1 T2   such a collection, its channel's sum for several, its credit
 *   propose A1 U1 → anna 10.00; propose A2 U1 back 15.00; approve A1; attribute I1 A1; sendback I2 A2
 *   court J1 anna 50.00 until DATE                  an authority has an amount or `all` frozen; renew J1 until DATE, lift J1 [10.00]; order X1
 *                                                   J1 20.00 is asked for by one and approved by another; deduct D1 X1 pays it; expire
 *   review R1 withdrawal above 50.00 within 30 minutes   and what follows: see verbs/review.ts
 *   watch anna alert 50.00, explain anna: …         see verbs/watch.ts and verbs/explain.ts
 *   deal, says, finds, stake, lay, let-go, fail-stage, pay-back, due: see verbs/escrow.ts
 *   project, modes, signs, bid, unbid, lend, miscarry, repay, compensate, recover, raising: see verbs/lending.ts
 *   vanishes, round, claims: see verbs/winding-up.ts
 *   fund, told, saves, redeems, exchanges, spends, company has, pot …: see verbs/fund.ts
 *   parameter class-2.out.day 100.00 from DATE      a row of the law; at 23:59 sets the time of the day
 *   end of day                                      closes the business date and opens the next; `until DATE` one after the other
 */
export interface Bank extends EscrowBank, LendingBank, FundBank, WindingUpBank {
  /** Ids of the functional accounts by purpose. */
  openPlatform(date: string, profile?: 'lending'): Promise<{ id: string; own: Readonly<Record<string, string>> }>;
  openSeller(platform: string, bound: boolean): Promise<string>;
  setTerms(platform: string, transferMax: bigint, feeMax: bigint): Promise<void>;
  /** Up to how much own funds stand in for receivers. */
  setCeiling(platform: string, ceiling: bigint): Promise<void>;
  /** What later income fills a margin up to; opens it where there is none. */
  setTarget(account: string, target: bigint): Promise<void>;
  /** From whom a sub-account takes transfers. */
  setPayIn(account: string, rule: 'anyone' | 'own-account' | 'nobody'): Promise<void>;
  /** Takes a refund out of the queue. */
  cancel(refund: string): Promise<void>;
  /** posted, undecided, or the code of the refusal. */
  standing(instruction: string): Promise<string>;
  /** Orders of the platform need their sellers' agreements from now on. */
  requireAgreements(platform: string): Promise<void>;
  agree(platform: string, agreement: ModelAgreement): Promise<void>;
  /** One step in the life of a version; answers how it stands then, or the code of the refusal. */
  deal(of: Deal): Promise<string>;
  setState(account: string, state: 'open' | 'frozen' | 'closed'): Promise<void>;
  openCustomer(idExpires: string | undefined): Promise<string>;
  /** Answers `verified`, or the code of the refusal; the customer's id too where he is one now. */
  register(platform: string, person: Person): Promise<{ result: string; customer?: string }>;
  /** Answers `opened` with the account, or the code of the refusal. */
  openOn(platform: string, of: Wanted): Promise<{ result: string; account?: string }>;
  openElectronic(of: { platform: string; customer: string; class: 2 | 3; faceToFace: boolean }): Promise<string>;
  setCustomer(customer: string, to: { stopped?: boolean; documented?: boolean }): Promise<void>;
  setElectronic(account: string, to: { state?: 'active' | 'blocked'; alive?: boolean; faceToFace?: boolean }): Promise<void>;
  setParameter(name: string, from: string, value: bigint): Promise<void>;
  /** One person proposes what shall become of money on suspense: to an account, or back; another approves it. */
  propose(of: NewProposal): Promise<string>;
  approve(proposal: string): Promise<void>;
  openMandate(of: NewMandate): Promise<string>;
  revokeMandate(id: string): Promise<void>;
  openDate(platform: string, from: string, to: string): Promise<void>;
  /** An authority has an amount, or all, frozen; answers `frozen` with its id, or the code of the refusal. */
  court(of: { account: string; amount: bigint | undefined; until: string }): Promise<{ result: string; id?: string }>;
  renewCourt(freeze: string, until: string): Promise<string>;
  liftCourt(freeze: string, amount: bigint | undefined): Promise<string>;
  /** One asks for a deduction and another approves it; the instruction is given afterwards. */
  orderDeduction(freeze: string, amount: bigint): Promise<{ result: string; id?: string }>;
  /** What people and deadlines do about instructions in review. */
  readonly reviews: ReviewBank;
  /** What is to stay on accounts, and below what platforms are told. */
  readonly watches: WatchBank;
  readonly explains: ExplainBank;
  /** What the sweep does with freezes whose last day is over. */
  expireCourts(): Promise<void>;
  setNow(ms: number): Promise<void>;
  markSent(payout: string, channel?: string): Promise<void>;
  /** When customers can use what a channel collects that pays over later. */
  setCollected(platform: string, when: 'at-once' | 'when-settled'): Promise<void>;
  give(asked: Asked): Promise<{ id: string; replay: boolean; result: string }>;
  look(): Promise<Look>;
  readonly batches: Batches;
  /** Whatever must be true after every step; throws when something is not. */
  check(): Promise<void>;
}

export interface NewProposal {
  readonly platform: string;
  /** The instruction that credited it. */
  readonly item: string;
  readonly account: string | undefined;
  readonly amount: bigint;
}

export interface NewMandate {
  readonly platform: string;
  readonly account: string;
  readonly kinds: readonly string[];
  readonly orders: boolean;
  readonly projects?: boolean;
  readonly funds?: boolean;
  readonly payees: readonly string[];
  readonly paymentCap: bigint;
  readonly totalCap: bigint;
  readonly period: 'day' | 'month' | undefined;
  readonly periodCap: bigint | undefined;
  readonly expires: number;
}

export interface Look {
  readonly accounts: ReadonlyMap<string, { balance: bigint; held: bigint; uncleared: bigint }>;
  readonly orders: ReadonlyMap<
    string,
    {
      account: string;
      paid: bigint;
      split: bigint;
      returned: bigint;
      refunded: bigint;
      subsidised: bigint;
      subsidyReturned: bigint;
    }
  >;
  readonly payouts: ReadonlyMap<string, string>;
  /** By sub-account: the margin account. */
  readonly margins: ReadonlyMap<string, string>;
  /** What accounts owe for refunds that were advanced. */
  readonly owed: ReadonlyMap<string, bigint>;
  /** How many entries were posted in all. */
  readonly postings: number;
}

const NOBODY = '1000000000000000001'; // an id that nothing has
const AMOUNT = String.raw`(\d+\.\d\d)`;
const ORDER = String.raw`order:(\S+)`;
const UNDER = String.raw`(?: under (\S+))?`;
/** Signed at the counter. */
const FORM = String.raw`(?: form (\S+))?`;

interface Remembered extends Asked {
  readonly id: string;
  readonly result: string;
}

class Stage {
  readonly given = new Map<string, Remembered>();
  readonly sellers = new Map<string, string>();
  readonly customers = new Map<string, string>();
  readonly mandates = new Map<string, string>();
  readonly deals = new Map<string, string>();
  readonly projects = new Map<string, string>();
  readonly reviewRules = new Map<string, string>();
  /** Freezes and deductions of authorities. */
  readonly courts = new Map<string, string>();
  readonly proposals = new Map<string, NewProposal & { readonly id: string }>();
  readonly platforms = new Map<string, { id: string; own: Readonly<Record<string, string>>; date: string }>();
  current = '';
  /** The natural day. */
  today = '';

  readonly bank: Bank;

  constructor(bank: Bank) {
    this.bank = bank;
  }

  get platform() {
    return known(this.platforms.get(this.current), 'a scenario begins with its day');
  }

  /** A name, or `platform's purpose`; what nobody knows is an account that is not there. */
  account(name: string): string {
    const [platform = '', purpose] = name.includes('/') ? name.split('/') : [this.current, name];
    return this.sellers.get(name) ?? this.platforms.get(platform)?.own[purpose as string] ?? NOBODY;
  }

  /** What scenarios call an account of the platform at hand. */
  nameOfAccount(id: string): string {
    const seller = [...this.sellers].find(([, of]) => of === id);
    return seller?.[0] ?? Object.entries(this.platform.own).find(([, of]) => of === id)?.[0] ?? id;
  }

  /** The platform at hand has an account of its own more. */
  opened(purpose: string, id: string): void {
    this.platforms.set(this.current, { ...this.platform, own: { ...this.platform.own, [purpose]: id } });
  }

  customer(name: string): string {
    return known(this.customers.get(name), `no customer ${name}`);
  }

  mandate(name: string): string {
    return this.mandates.get(name) ?? NOBODY;
  }

  proposal(name: string): NewProposal & { readonly id: string } {
    return this.proposals.get(name) ?? { id: NOBODY, platform: '', item: NOBODY, account: undefined, amount: 1n };
  }

  /** A freeze or a deduction. */
  judicial(name: string): string {
    return this.courts.get(name) ?? NOBODY;
  }

  /** What a scenario calls an instruction or an authority's order. */
  nameOf(id: string): string {
    const given = [...this.given].find(([, of]) => of.id === id);
    return given?.[0] ?? [...this.courts].find(([, of]) => of === id)?.[0] ?? id;
  }

  idOf(requestNo: string): string {
    return this.given.get(requestNo)?.id ?? NOBODY;
  }

  lines(text: string): Asked['data']['lines'] {
    return text.split(', ').map((part) => {
      const [name = '', amount = ''] = pick(new RegExp(`^(\\S+) ${AMOUNT}$`), part);
      return { account: `acc_${this.account(name)}`, amount: money(amount) };
    });
  }
}

type Reader = (stage: Stage, parts: string[]) => [kind: string, data: Asked['data']];

/** The verbs of instructions: the rest of the line after the request number, and what it means. */
const INSTRUCTIONS: Readonly<Record<string, { form: RegExp; by?: 'S' | 'O'; read: Reader }>> = {
  pay: {
    form: new RegExp(`^(\\S+) → ${ORDER} ${AMOUNT}$`),
    read: (_stage, [buyer = '', orderNo = '', amount = '']) => {
      const account = buyer === 'cash' ? '' : `6222${Buffer.from(buyer).toString('hex').slice(0, 12)}`;
      return ['payment', { orderNo, amount: money(amount), payer: { name: buyer, account }, reference: `IN-${orderNo}` }];
    },
  },
  buy: {
    form: new RegExp(`^(\\S+) → ${ORDER} ${AMOUNT}: (.+?)(?: completes (\\S+))?$`),
    read: (stage, [buyer = '', orderNo = '', amount = '', goods = '', completes]) => {
      const payer = { name: buyer, account: `6222${Buffer.from(buyer).toString('hex').slice(0, 12)}` };
      const items = goods === 'nothing' ? [] : goods.split('; ').map((text) => itemOf(stage, text));
      const due = completes === undefined ? {} : { completesAt: `${completes}T00:00:00+08:00` };
      const background = { buyer, items, ...due };
      return ['payment', { orderNo, amount: money(amount), payer, reference: `IN-${orderNo}`, background }];
    },
  },
  combine: {
    form: new RegExp(`^(\\S+) ${AMOUNT} → (.+)$`),
    read: (stage, [buyer = '', amount = '', orders = '']) => {
      const payer = { name: buyer, account: `6222${Buffer.from(buyer).toString('hex').slice(0, 12)}` };
      const paid = orders.split(' | ').map((text) => {
        const [orderNo = '', part = '', goods] = pick(new RegExp(`^${ORDER} ${AMOUNT}(?:: (.+))?$`), text);
        const items = goods?.split('; ').map((item) => itemOf(stage, item));
        return { orderNo, amount: money(part), ...(items === undefined ? {} : { background: { buyer, items } }) };
      });
      const [first] = paid;
      return ['combined-payment', { orders: paid, amount: money(amount), payer, reference: `IN-${first?.orderNo}` }] as never;
    },
  },
  share: {
    form: new RegExp(`^${ORDER}(?: (.+))?$`),
    read: (_stage, [orderNo = '', what]) => {
      if (what === undefined) return ['split', { orderNo }];
      const items = what.split(', ').map((text) => {
        const [item = '', amount, evidence] = pick(new RegExp(`^(\\S+?)(?: ${AMOUNT})?(?: shown (\\S+))?$`), text);
        const shown = evidence === undefined ? {} : { evidence };
        return { item, ...(amount === undefined ? {} : { amount: money(amount) }), ...shown };
      });
      return ['split', { orderNo, items }];
    },
  },
  complete: { form: new RegExp(`^${ORDER}$`), read: (_stage, [orderNo = '']) => ['order-complete', { orderNo }] },
  split: {
    form: new RegExp(`^${ORDER} → (.+)$`),
    read: (stage, [orderNo = '', lines = '']) => ['split', { orderNo, lines: stage.lines(lines) as [] }],
  },
  return: {
    form: new RegExp(`^${ORDER} ← (.+)$`),
    read: (stage, [orderNo = '', lines = '']) => ['split-return', { orderNo, lines: stage.lines(lines) as [] }],
  },
  ...REFUND_VERBS,
  ...ESCROW_VERBS,
  ...LENDING_VERBS,
  ...FUND_VERBS,
  ...TRADE_VERBS,
  deposit: { form: new RegExp(`^(\\S+) ${AMOUNT}$`), read: (stage, parts) => ['margin-deposit', ofAccount(stage, parts)] },
  'give-back': { form: new RegExp(`^(\\S+) ${AMOUNT}$`), read: (stage, parts) => ['margin-release', ofAccount(stage, parts)] },
  transfer: {
    form: new RegExp(`^(\\S+) → (\\S+) ${AMOUNT}$`),
    read: (stage, [from = '', to = '', amount = '']) => [
      'transfer',
      { from: `acc_${stage.account(from)}`, to: `acc_${stage.account(to)}`, amount: money(amount) },
    ],
  },
  hold: {
    form: new RegExp(`^(\\S+) ${AMOUNT}(?: until (\\S+))?$`),
    read: (stage, [account = '', amount = '', until]) => [
      'hold',
      {
        account: `acc_${stage.account(account)}`,
        amount: money(amount),
        purpose: '保证',
        ...(until === undefined ? {} : { expiresAt: `${until}T00:00:00+08:00` }),
      },
    ],
  },
  release: {
    form: new RegExp(`^(\\S+)(?: ${AMOUNT})?$`),
    read: (stage, [hold = '', amount]) => [
      'release',
      { hold: `hld_${stage.idOf(hold)}`, ...(amount === undefined ? {} : { amount: money(amount) }) },
    ],
  },
  capture: {
    form: new RegExp(`^(\\S+) → (\\S+) ${AMOUNT}$`),
    read: (stage, [hold = '', to = '', amount = '']) => [
      'capture',
      { hold: `hld_${stage.idOf(hold)}`, to: `acc_${stage.account(to)}`, amount: money(amount) },
    ],
  },
  'release-all': {
    form: /^(?:for (\S+)|(.+))$/,
    read: (stage, [purpose, holds = '']) => [
      'bulk-release',
      purpose === undefined ? { holds: holds.split(', ').map((hold) => `hld_${stage.idOf(hold)}`) } : { purpose },
    ],
  },
  dispute: {
    form: new RegExp(`^${ORDER} ${AMOUNT}(?: of (\\S+))? until (\\S+)$`),
    read: (stage, [orderNo = '', amount = '', receiver, until = '']) => [
      'dispute-open',
      {
        ...{ orderNo, amount: money(amount), reason: '货不对板', expiresAt: `${until}T00:00:00+08:00` },
        ...(receiver === undefined ? {} : { account: `acc_${stage.account(receiver)}` }),
      },
    ],
  },
  resolve: {
    form: /^(\S+) (upheld|rejected)$/,
    read: (stage, [dispute = '', result = '']) => ['dispute-end', { dispute: `dsp_${stage.idOf(dispute)}`, result }],
  },
  deduct: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [deduction = '']) => ['judicial-deduction', { deduction: `ded_${stage.judicial(deduction)}` }],
  },
  withdraw: {
    form: new RegExp(`^(\\S+) ${AMOUNT}${FORM}$`),
    read: (stage, [account = '', amount = '', voucher]) => [
      'withdrawal',
      { ...ofAccount(stage, [account, amount]), ...(voucher === undefined ? {} : { voucher }) },
    ],
  },
  clear: {
    form: new RegExp(`^(\\S+) ${AMOUNT}(?: fee ${AMOUNT})?$`),
    by: 'S',
    read: (stage, parts) => [
      'clearing',
      { ...ofAccount(stage, parts), ...(parts[2] === undefined ? {} : { fee: money(parts[2]) }) },
    ],
  },
  fee: { form: new RegExp(`^(\\S+) ${AMOUNT}$`), read: (stage, parts) => ['fee', { ...ofAccount(stage, parts), for: '服务费' }] },
  correct: {
    form: /^(\S+)$/,
    read: (stage, [requestNo = '']) => ['correction', { instruction: `ins_${stage.idOf(requestNo)}`, reason: '重复提交' }],
  },
  topup: {
    form: new RegExp(`^(\\S+) ${AMOUNT}${UNDER}$`),
    read: (stage, [account = '', amount = '', mandate]) => [
      'top-up',
      { ...ofAccount(stage, [account, amount]), ...under(stage, mandate) },
    ],
  },
  incoming: {
    form: new RegExp(`^(\\S+) → (\\S+) ${AMOUNT}$`),
    by: 'S',
    read: (stage, [payer = '', account = '', amount = '']) => {
      const id = stage.account(account);
      const number = `6222${Buffer.from(payer).toString('hex').slice(0, 12)}`;
      const known = { card: boundPayer(id), owner: ownPayer(id) }[payer];
      const from = known ?? { name: payer, account: number };
      return ['incoming-transfer', { account: `acc_${id}`, amount: money(amount), payer: from, reference: `TR-${payer}` }];
    },
  },
  epay: {
    form: new RegExp(`^(\\S+) → (\\S+) ${AMOUNT}${UNDER}$`),
    read: (stage, [from = '', to = '', amount = '', mandate]) => [
      'account-payment',
      {
        from: `acc_${stage.account(from)}`,
        to: to.startsWith('order:') ? { orderNo: to.slice(6) } : { account: `acc_${stage.account(to)}` },
        amount: money(amount),
        ...under(stage, mandate),
      },
    ],
  },
  interest: {
    form: new RegExp(`^(\\S+) through (\\S+) product (\\d+) rate (\\d+) ${AMOUNT}$`),
    by: 'S',
    read: (stage, [account = '', through = '', product = '', rate = '', amount = '']) => [
      'interest',
      { account: `acc_${stage.account(account)}`, through, product, rate: Number(rate), amount: money(amount) },
    ],
  },
  unknown: {
    form: new RegExp(`^(\\S+)(?: \\((.+)\\))? ${AMOUNT}$`),
    by: 'O',
    read: (stage, [payer = '', told, amount = '']) => {
      const account = payer === 'cash' ? '' : `6222${Buffer.from(payer).toString('hex').slice(0, 12)}`;
      // `card:anna` is the card that is bound to her account.
      const from = payer.startsWith('card:') ? boundPayer(stage.account(payer.slice(5))) : { name: payer, account };
      const data = { amount: money(amount), payer: from, reference: `CR-${payer}` };
      return ['suspense-credit', told === undefined ? data : { ...data, told }];
    },
  },
  adjust: {
    form: new RegExp(`^(\\S+) (bears|gets) ${AMOUNT} as (\\S+)$`),
    by: 'S',
    read: (stage, [account = '', verb = '', amount = '', reference = '']) => [
      'statement-adjustment',
      {
        account: `acc_${stage.account(account)}`,
        direction: verb === 'bears' ? 'debit' : 'credit',
        amount: money(amount),
        reference,
      },
    ],
  },
  'take-over': {
    form: new RegExp(`^(\\S+) ${AMOUNT} as (\\S+)$`),
    by: 'S',
    read: (stage, [account = '', amount = '', reference = '']) => [
      'take-over',
      { account: `acc_${stage.account(account)}`, amount: money(amount), reference },
    ],
  },
  'hand-over': {
    form: new RegExp(`^(\\S+) ${AMOUNT} as (\\S+)$`),
    by: 'S',
    read: (stage, [account = '', amount = '', reference = '']) => [
      'hand-over',
      { account: `acc_${stage.account(account)}`, amount: money(amount), reference },
    ],
  },
  keeps: {
    form: new RegExp(`^(\\S+) ${AMOUNT}$`),
    by: 'O',
    read: (_stage, [reference = '', amount = '']) => ['acquirer-fee', { reference, amount: money(amount), acquirer: 'ALLPAY' }],
  },
  paidover: {
    form: new RegExp(`^(\\S+) (.+) ${AMOUNT}$`),
    by: 'S',
    read: (stage, [reference = '', numbers = '', amount = '']) => [
      'channel-settled',
      {
        channel: 'psp-collect',
        reference,
        amount: money(amount),
        payouts: numbers.split(', ').map((no) => `pay_${stage.idOf(no)}`),
      },
    ],
  },
  credited: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [no = '']) => ['collection-credited', { payout: `pay_${stage.idOf(no)}` }],
  },
  attribute: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [name = '']) => {
      const { id, item, account, amount } = stage.proposal(name);
      return [
        'suspense-attribution',
        { proposal: `prp_${id}`, item: `sus_${item}`, account: `acc_${account ?? NOBODY}`, amount: inFen(amount) },
      ];
    },
  },
  sendback: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [name = '']) => {
      const { id, item, amount } = stage.proposal(name);
      return ['suspense-return', { proposal: `prp_${id}`, item: `sus_${item}`, amount: inFen(amount) }];
    },
  },
  leave: {
    form: new RegExp(`^(\\S+)${FORM}$`),
    read: (stage, [account = '', voucher]) => [
      'account-closing',
      { account: `acc_${stage.account(account)}`, ...(voucher === undefined ? {} : { voucher }) },
    ],
  },
  own: {
    form: new RegExp(`^(\\S+) → (\\S+) ${AMOUNT}$`),
    read: (stage, [from = '', to = '', amount = '']) => [
      'own-transfer',
      { from: `acc_${stage.account(from)}`, to: `acc_${stage.account(to)}`, amount: money(amount) },
    ],
  },
  settled: { form: /^(\S+)$/, by: 'S', read: (stage, [no = '']) => ['payout-settled', { payout: `pay_${stage.idOf(no)}` }] },
  failed: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [no = '']) => ['payout-failed', { payout: `pay_${stage.idOf(no)}`, reason: '户名不符' }],
  },
  lapsed: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [no = '']) => [
      'payout-failed',
      { payout: `pay_${stage.idOf(no)}`, reason: 'not sent in its time', unsent: true },
    ],
  },
  returned: {
    form: /^(\S+)$/,
    by: 'S',
    read: (stage, [no = '']) => ['payout-returned', { payout: `pay_${stage.idOf(no)}`, reason: '已销户' }],
  },
};

function ofAccount(stage: Stage, [account = '', amount = '']: string[]): Asked['data'] {
  return { account: `acc_${stage.account(account)}`, amount: money(amount) };
}

/** `milk 80.00 + 5.00 of anna goods shown WB-1`: price, freight, seller, category, evidence. */
function itemOf(stage: Stage, text: string): AskedModelBackground['items'][number] {
  const form = new RegExp(`^(\\S+) ${AMOUNT}(?: \\+ ${AMOUNT})? of (\\S+) (\\S+)(?: shown (\\S+))?$`);
  const [item = '', price = '', freight, seller = '', category = '', evidence] = pick(form, text);
  return {
    ...{ item, seller: `acc_${stage.account(seller)}`, name: item, category, quantity: 1, price: money(price) },
    ...(freight === undefined ? {} : { freight: money(freight) }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

const PAID = `(?: paid (\\S+)(?: held back (\\d+))?(?: at least ${AMOUNT})?(?: to (\\S+))?(?: costing ${AMOUNT}(?: \\+ (\\d+\\.\\d\\d)%)?)?)?`;

function payingOf(cycle: string, ...[heldBack, minimum, to, fixed, percent]: (string | undefined)[]): ModelPaying {
  return {
    ...{ cycle, heldBack: Number(heldBack ?? 0), minimum: minor(minimum ?? '0.00'), to: to ?? 'bound' },
    costs: { fixed: minor(fixed ?? '0.00'), bp: minor(percent ?? '0.00') },
  };
}

/** `commission 10.00% of goods, ben 5.00% of whole max 3.00; cap 30.00% order 500.00 day 900.00 from DATE until DATE` */
function agreementOf(stage: Stage, seller: string, text: string): ModelAgreement {
  const form = new RegExp(
    `^(.*?); cap (\\d+\\.\\d\\d)%( named)?(?: order ${AMOUNT})?(?: day ${AMOUNT})?(?: fee ${AMOUNT})?(?: reserve ${AMOUNT})?${PAID} from (\\S+?)(?: until (\\S+))?$`,
  );
  const [shares = '', cap = '', named, orderMax, dayMax, feeMax, reserve, ...rest] = pick(form, text);
  const [cycle, heldBack, minimum, to, fixed, percent, from = '', until] = rest;
  const lines = shares.split(', ').map((share) => {
    const line = new RegExp(`^(\\S+) (\\d+\\.\\d\\d)% of (goods|whole)(?: max ${AMOUNT})?$`);
    const [to = '', percent = '', of, max] = pick(line, share);
    const account = to === 'commission' ? (stage.platform.own.commission as string) : stage.account(to);
    return { to: account, bp: minor(percent), of: of as 'goods' | 'whole', ...(max === undefined ? {} : { max: minor(max) }) };
  });
  return {
    ...{ seller: stage.account(seller), lines, others: minor(cap), from },
    ...(orderMax === undefined ? {} : { orderMax: minor(orderMax) }),
    ...(dayMax === undefined ? {} : { dayMax: minor(dayMax) }),
    ...(feeMax === undefined ? {} : { feeMax: minor(feeMax) }),
    ...(reserve === undefined ? {} : { reserve: minor(reserve) }),
    ...(cycle === undefined ? {} : { paying: payingOf(cycle, heldBack, minimum, to, fixed, percent) }),
    ...(until === undefined ? {} : { until }),
    ...(named === undefined ? {} : { named: true }),
  };
}

function under(stage: Stage, mandate: string | undefined): { mandate?: string } {
  return mandate === undefined ? {} : { mandate: `mdt_${stage.mandate(mandate)}` };
}

/** The other steps. */
const STEPS: readonly (readonly [form: RegExp, run: (stage: Stage, parts: string[]) => Promise<void>])[] = [
  ...ESCROW_STEPS,
  ...LENDING_STEPS,
  ...WINDING_UP_STEPS,
  ...FUND_STEPS,
  [/^day (\S+)$/, (stage, [date = '']) => openPlatform(stage, 'platform', date)],
  [/^platform (\S+)$/, (stage, [name = '']) => openPlatform(stage, name, stage.platform.date)],
  [
    /^as (\S+)$/,
    async (stage, [name = '']) => {
      stage.current = name;
    },
  ],
  [
    /^sellers (.+)$/,
    async (stage, [names = '']) => {
      for (const name of names.split(', ')) stage.sellers.set(name, await stage.bank.openSeller(stage.platform.id, true));
    },
  ],
  [
    /^seller (\S+) unbound$/,
    async (stage, [name = '']) => void stage.sellers.set(name, await stage.bank.openSeller(stage.platform.id, false)),
  ],
  [
    new RegExp(`^terms transfer ${AMOUNT} fee ${AMOUNT}$`),
    (stage, [transfer = '', fee = '']) => stage.bank.setTerms(stage.platform.id, minor(transfer), minor(fee)),
  ],
  ...DEAL_STEPS,
  [/^agreements required$/, (stage) => stage.bank.requireAgreements(stage.platform.id)],
  [
    /^agreement (\S+): (.+)$/,
    (stage, [seller = '', text = '']) => stage.bank.agree(stage.platform.id, agreementOf(stage, seller, text)),
  ],
  [
    /^customer (\S+)(?: id until (\S+))?$/,
    async (stage, [name = '', until]) => void stage.customers.set(name, await stage.bank.openCustomer(until)),
  ],
  [/^lending (\S+)$/, (stage, [name = '']) => openPlatform(stage, name, stage.platform.date, 'lending')],
  [
    /^register (\S+) born (\S+) mobile (\d+)(?: until (\S+))?(?: (unknown|as another))?(?: refused (\S+))?$/,
    async (stage, [name = '', born = '', mobile = '', until, truth, code]) => {
      const said = truth === undefined ? 'as-named' : truth === 'unknown' ? 'unknown' : 'another';
      const person: Person = { name, born, mobile, idExpires: until, truth: said };
      const { result, customer } = await stage.bank.register(stage.platform.id, person);
      same(result, code ?? 'verified', `the registration of ${name}`);
      if (customer !== undefined) stage.customers.set(name, customer);
    },
  ],
  [
    /^open (\S+) class ([23]) for (\S+)(?: on (\S+))?(?: mobile (\d+))?(?: refused (\S+))?$/,
    async (stage, [name = '', of, person = '', card = 'class-1', mobile, code]) => {
      const wanted: Wanted = { person, class: of === '2' ? 2 : 3, card, mobile };
      const { result, account } = await stage.bank.openOn(stage.platform.id, wanted);
      same(result, code ?? 'opened', `the opening of ${name}`);
      if (account !== undefined) stage.sellers.set(name, account);
    },
  ],
  [
    /^(stop|free) (\S+)$/,
    (stage, [verb, name = '']) => stage.bank.setCustomer(stage.customer(name), { stopped: verb === 'stop' }),
  ],
  [/^document (\S+)$/, (stage, [name = '']) => stage.bank.setCustomer(stage.customer(name), { documented: true })],
  [
    /^account (\S+) class ([23]) of (\S+)( face to face)?$/,
    async (stage, [name = '', of, owner = '', seen]) => {
      const account = { platform: stage.platform.id, customer: stage.customer(owner), faceToFace: seen !== undefined };
      stage.sellers.set(name, await stage.bank.openElectronic({ ...account, class: of === '2' ? 2 : 3 }));
    },
  ],
  [/^block (\S+)$/, (stage, [name = '']) => stage.bank.setElectronic(stage.account(name), { state: 'blocked' })],
  [/^unblock (\S+)$/, (stage, [name = '']) => stage.bank.setElectronic(stage.account(name), { state: 'active' })],
  [/^reverify (\S+)$/, (stage, [name = '']) => stage.bank.setElectronic(stage.account(name), { alive: true })],
  [/^see (\S+)$/, (stage, [name = '']) => stage.bank.setElectronic(stage.account(name), { faceToFace: true })],
  [
    /^parameter (\S+) (\d+)(?:\.(\d\d))? from (\S+)$/,
    (stage, [name = '', whole = '', cents, from = '']) => stage.bank.setParameter(name, from, BigInt(whole + (cents ?? ''))),
  ],
  [
    new RegExp(
      `^mandate (\\S+) (\\S+) for (\\S+) to (.+); payment ${AMOUNT} total ${AMOUNT}(?: (day|month) ${AMOUNT})? until (\\S+)$`,
    ),
    async (stage, parts) => void stage.mandates.set(parts[0] as string, await stage.bank.openMandate(mandateOf(stage, parts))),
  ],
  [
    new RegExp(`^propose (\\S+) (\\S+) (?:→ (\\S+)|back) ${AMOUNT}$`),
    async (stage, [name = '', item = '', account, amount = '']) => {
      const of: NewProposal = {
        platform: stage.platform.id,
        item: stage.idOf(item),
        account: account === undefined ? undefined : stage.account(account),
        amount: minor(amount),
      };
      stage.proposals.set(name, { ...of, id: await stage.bank.propose(of) });
    },
  ],
  [/^approve (\S+)$/, (stage, [name = '']) => stage.bank.approve(stage.proposal(name).id)],
  [/^revoke (\S+)$/, (stage, [name = '']) => stage.bank.revokeMandate(stage.mandate(name))],
  [
    /^at (\d\d:\d\d(?::\d\d)?)$/,
    (stage, [time = '']) => stage.bank.setNow(Date.parse(`${stage.today}T${time.padEnd(8, ':00')}+08:00`)),
  ],
  [
    /^midnight$/,
    async (stage) => {
      stage.today = new Date(Date.parse(stage.today) + 86_400_000).toISOString().slice(0, 10);
      await stage.bank.setNow(Date.parse(`${stage.today}T00:00:00+08:00`));
    },
  ],
  [new RegExp(`^advance up to ${AMOUNT}$`), (stage, [most = '']) => stage.bank.setCeiling(stage.platform.id, minor(most))],
  [
    new RegExp(`^margin of (\\S+) up to ${AMOUNT}$`),
    (stage, [name = '', target = '']) => stage.bank.setTarget(stage.account(name), minor(target)),
  ],
  [/^cancel (\S+)$/, (stage, [no = '']) => stage.bank.cancel(stage.idOf(no))],
  [
    /^stands (\S+) (\S+)$/,
    async (stage, [no = '', how = '']) => {
      const now = await stage.bank.standing(stage.idOf(no));
      same(now === 'undecided' ? 'waits' : now, how, `what became of ${no}`);
    },
  ],
  [
    new RegExp(`^court (\\S+) (\\S+) (?:all|${AMOUNT}) until (\\S+)(?: refused (\\S+))?$`),
    async (stage, [name = '', account = '', amount, until = '', code]) => {
      const of = { account: stage.account(account), amount: amount === undefined ? undefined : minor(amount), until };
      const { result, id } = await stage.bank.court(of);
      same(result, code ?? 'frozen', `the freeze ${name}`);
      if (id !== undefined) stage.courts.set(name, id);
    },
  ],
  [
    /^renew (\S+) until (\S+)(?: refused (\S+))?$/,
    async (stage, [name = '', until = '', code]) =>
      same(await stage.bank.renewCourt(stage.judicial(name), until), code ?? 'renewed', `the renewal of ${name}`),
  ],
  [
    new RegExp(`^lift (\\S+)(?: ${AMOUNT})?(?: refused (\\S+))?$`),
    async (stage, [name = '', amount, code]) => {
      const part = amount === undefined ? undefined : minor(amount);
      same(await stage.bank.liftCourt(stage.judicial(name), part), code ?? 'lifted', `the lifting of ${name}`);
    },
  ],
  [
    new RegExp(`^order (\\S+) (\\S+) ${AMOUNT}(?: refused (\\S+))?$`),
    async (stage, [name = '', freeze = '', amount = '', code]) => {
      const { result, id } = await stage.bank.orderDeduction(stage.judicial(freeze), minor(amount));
      same(result, code ?? 'approved', `the deduction ${name}`);
      if (id !== undefined) stage.courts.set(name, id);
    },
  ],
  [/^expire$/, (stage) => stage.bank.expireCourts()],
  ...REVIEW_STEPS,
  ...WATCH_STEPS,
  ...EXPLAIN_STEPS,
  [
    /^accepts (\S+) (anyone|own-account|nobody)$/,
    (stage, [name = '', rule = '']) => stage.bank.setPayIn(stage.account(name), rule as 'anyone'),
  ],
  [/^freeze (\S+)$/, (stage, [name = '']) => stage.bank.setState(stage.account(name), 'frozen')],
  [/^unfreeze (\S+)$/, (stage, [name = '']) => stage.bank.setState(stage.account(name), 'open')],
  [/^close (\S+)$/, (stage, [name = '']) => stage.bank.setState(stage.account(name), 'closed')],
  [/^send (\S+)(?: by (\S+))?$/, (stage, [no = '', channel]) => stage.bank.markSent(stage.idOf(no), channel)],
  [/^collected (at-once|when-settled)$/, (stage, [when = '']) => stage.bank.setCollected(stage.platform.id, when as 'at-once')],
  [/^end of day(?: until (\S+))?$/, (stage, [until]) => endOfDay(stage, until)],
  [/^expect (.+)$/, (stage, [what = '']) => expectFigures(stage, what)],
  [
    /^payout (\S+) (\S+)$/,
    async (stage, [no = '', state = '']) => same((await stage.bank.look()).payouts.get(stage.idOf(no)), state, `payout ${no}`),
  ],
  ...batchSteps<Stage>((stage, verb, rest) => {
    const of = INSTRUCTIONS[verb];
    return of === undefined ? [verb, {} as Asked['data']] : of.read(stage, pick(of.form, rest));
  }, same),
  [/^replay (\S+)$/, (stage, [no = '']) => replay(stage, no)],
];

function mandateOf(stage: Stage, parts: string[]): NewMandate {
  const [, account = '', kinds = '', payees = '', payment = '', total = '', period, periodCap, until = ''] = parts;
  const names = payees.split(', ');
  return {
    platform: stage.platform.id,
    account: stage.account(account),
    kinds: kinds.split(','),
    ...{ orders: names.includes('orders'), projects: names.includes('projects'), funds: names.includes('funds') },
    payees: names.filter((name) => !['orders', 'projects', 'funds'].includes(name)).map((name) => stage.account(name)),
    paymentCap: minor(payment),
    totalCap: minor(total),
    period: period as 'day' | 'month' | undefined,
    periodCap: periodCap === undefined ? undefined : minor(periodCap),
    expires: Date.parse(`${until}T00:00:00+08:00`),
  };
}

async function openPlatform(stage: Stage, name: string, date: string, profile?: 'lending'): Promise<void> {
  await stage.bank.setNow(morning(date));
  stage.today = date;
  stage.platforms.set(name, { ...(await stage.bank.openPlatform(date, profile)), date });
  stage.current = name;
}

async function endOfDay(stage: Stage, until: string | undefined): Promise<void> {
  do {
    const to = new Date(Date.parse(stage.platform.date) + 86_400_000).toISOString().slice(0, 10);
    for (const platform of stage.platforms.values()) {
      await stage.bank.openDate(platform.id, platform.date, to);
      platform.date = to;
    }
    stage.today = to;
    await stage.bank.setNow(morning(to));
  } while (until !== undefined && stage.platform.date < until);
  if (until !== undefined) same(stage.platform.date, until, 'the business date');
}

const morning = (date: string) => Date.parse(`${date}T09:00:00+08:00`);

async function expectFigures(stage: Stage, what: string): Promise<void> {
  const look = await stage.bank.look();
  const funds = await stage.bank.lookAtFunds();
  const known = new Map([
    ['collection', funds.collection],
    ['advance', funds.advance],
  ]);
  for (const part of what.split(', ')) {
    const [name = '', ...words] = part.split(' ');
    if (/^\d/.test(words[0] ?? '')) words.unshift('balance');
    for (let at = 0; at < words.length; at += 2) {
      const field = words[at] as string;
      same(figure(stage, look, { name, id: known.get(name) ?? undefined }, field), words[at + 1], `${field} of ${name}`);
    }
  }
}

function figure(stage: Stage, look: Look, { name, id }: { name: string; id: string | undefined }, field: string): string {
  const order = name.startsWith('order:') ? look.orders.get(`${stage.platform.id}/${name.slice(6)}`) : undefined;
  if (order !== undefined && field in order) return yuan(order[field as 'paid']);
  if (field === 'owes') return yuan(look.owed.get(stage.account(name)) ?? 0n);
  const margin = name.startsWith('margin:') ? look.margins.get(stage.account(name.slice(7))) : undefined;
  const account = look.accounts.get(order?.account ?? margin ?? id ?? stage.account(name));
  if (account === undefined) return 'not there';
  const { held, uncleared } = account;
  const balance = name.endsWith('custody') ? -account.balance : account.balance; // the bank's asset, shown as what it keeps
  const figures: Record<string, bigint> = {
    balance,
    held,
    uncleared,
    available: balance - held,
    withdrawable: balance - (held > uncleared ? held : uncleared),
  };
  return yuan(known(figures[field], `no figure ${field}`));
}

async function give(stage: Stage, verb: string, requestNo: string, rest: string): Promise<void> {
  const [, what = '', reply, by, refused, waits] =
    /^(.*?)(?: (yes|no|late|locked|stranger|unasked))?(?: by (bank|system))?(?: +refused (\S+)| +(waits))?$/.exec(
      rest,
    ) as unknown as string[];
  const instruction = known(INSTRUCTIONS[verb], `no verb ${verb}`);
  const [kind, data] = instruction.read(stage, pick(instruction.form, what.trim()));
  const origin = by === 'bank' ? 'O' : by === 'system' ? 'S' : (instruction.by ?? 'P');
  const asked: Asked = { platform: stage.platform.id, origin, requestNo, kind, data, answer: reply as Asked['answer'] };
  const before = (await stage.bank.look()).postings;
  const answer = await stage.bank.give(asked);
  same(answer.result, waits === undefined ? (refused ?? 'posted') : 'undecided', `${verb} ${requestNo}`);
  if (refused !== undefined || waits !== undefined)
    same((await stage.bank.look()).postings, before, 'the number of postings after a refusal');
  if (answer.result !== 'REQUEST_NO_REUSED') stage.given.set(requestNo, { ...asked, ...answer });
}

async function replay(stage: Stage, requestNo: string): Promise<void> {
  const before = known(stage.given.get(requestNo), `nothing was given under ${requestNo}`);
  const { postings } = await stage.bank.look();
  const answer = await stage.bank.give(before);
  same(answer.id, before.id, `the instruction of ${requestNo}`);
  same(answer.result, before.result, `the answer to ${requestNo}`);
  same(answer.replay, true, `whether ${requestNo} is a replay`);
  same((await stage.bank.look()).postings, postings, 'the number of postings');
}

/** @throws with the line that did not hold */
export async function runScenario(text: string, bank: Bank): Promise<void> {
  const stage = new Stage(bank);
  for (const [place, whole] of text.split('\n').entries()) {
    const line = whole
      .replace(/(^| )#.*/, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
    if (line === '') continue;
    try {
      await runLine(stage, line);
      await bank.check();
    } catch (error) {
      throw new Error(`line ${place + 1}: ${line}\n${(error as Error).message}`, { cause: error });
    }
  }
}

async function runLine(stage: Stage, line: string): Promise<void> {
  for (const [form, run] of STEPS) {
    const match = form.exec(line);
    if (match !== null) return run(stage, match.slice(1));
  }
  const [verb = '', requestNo = '', ...rest] = line.split(' ');
  await give(stage, verb, requestNo, rest.join(' '));
}

/** The kinds and refusals that a text names, for the check that none goes untold. */
export function namedIn(text: string): { verbs: Set<string>; codes: Set<string> } {
  const lines = text.split('\n').map((line) => line.replace(/(^| )#.*/, ''));
  return {
    verbs: new Set(lines.map((line) => line.split(' ')[0] as string).filter((verb) => verb in INSTRUCTIONS)),
    codes: new Set(lines.flatMap((line) => /refused (\S+)/.exec(line)?.[1] ?? [])),
  };
}

export const VERB_OF_KIND: Readonly<Record<string, string>> = {
  payment: 'pay',
  'combined-payment': 'combine',
  split: 'split',
  'split-return': 'return',
  refund: 'refund',
  subsidy: 'subsidy',
  'subsidy-return': 'unsubsidise',
  'margin-deposit': 'deposit',
  'margin-release': 'give-back',
  transfer: 'transfer',
  hold: 'hold',
  release: 'release',
  capture: 'capture',
  withdrawal: 'withdraw',
  clearing: 'clear',
  fee: 'fee',
  correction: 'correct',
  'top-up': 'topup',
  'incoming-transfer': 'incoming',
  'account-payment': 'epay',
  'own-transfer': 'own',
  interest: 'interest',
  'order-complete': 'complete',
  ...ESCROW_KINDS,
  ...LENDING_KINDS,
  ...FUND_KINDS,
  ...TRADE_KINDS,
  'account-closing': 'leave',
  'bulk-release': 'release-all',
  'dispute-open': 'dispute',
  'dispute-end': 'resolve',
  'judicial-deduction': 'deduct',
  'payout-settled': 'settled',
  'payout-failed': 'failed',
  'payout-returned': 'returned',
  'acquirer-fee': 'keeps',
  'statement-adjustment': 'adjust',
  'take-over': 'take-over',
  'hand-over': 'hand-over',
  'channel-settled': 'paidover',
  'collection-credited': 'credited',
  'suspense-credit': 'unknown',
  'suspense-attribution': 'attribute',
  'suspense-return': 'sendback',
};

function minor(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

function money(text: string): { amount: number; currency: 'CNY' } {
  return { amount: Number(minor(text)), currency: 'CNY' };
}

function inFen(amount: bigint): { amount: number; currency: 'CNY' } {
  return { amount: Number(amount), currency: 'CNY' };
}

function yuan(amount: bigint): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(3, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function pick(form: RegExp, text: string): string[] {
  return known(form.exec(text) ?? undefined, `cannot be read: ${text}`).slice(1);
}

function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

function same(got: unknown, expected: unknown, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
}
