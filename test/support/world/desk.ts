import { furnishFunds, noFastUse } from '../../../scripts/docs/example-funds.js';
import {
  accrualRecords,
  type ElectronicAccount,
  electronicRecords,
  type LimitUse,
  limitUseRecords,
  type SettlementAccount,
} from '../../../src/accounts/index.js';
import { type Consent, consentRecords, type Mandate, mandateRecords, type PolicyTable } from '../../../src/consents/index.js';
import { settlementAccountRecords } from '../../../src/instructions/effects/payouts.js';
import { assertSuspense } from '../../../src/instructions/effects/suspense.js';
import { kinds } from '../../../src/instructions/index.js';
import { judge } from '../../../src/instructions/judging/judge.js';
import type { At, Decision, Effects, Facts, Kind, Origin } from '../../../src/instructions/kind.js';
import { type PastInstruction, pastRecords } from '../../../src/instructions/past.js';
import { addDays, asId, type BusinessDate, type Id, type Instant } from '../../../src/kernel/index.js';
import { type AccountType, type Book, type LedgerAccount, newAccount, post, type RecordType } from '../../../src/ledger/index.js';
import { PARAMETERS } from '../../../src/migrations/data/parameters.js';
import {
  type Hold,
  holdRecords,
  type Order,
  type OrderShare,
  orderKey,
  orderRecords,
  shareKey,
  shareRecords,
} from '../../../src/orders/index.js';
import {
  channelAccountRecords,
  collectionRecords,
  type Payout,
  payoutRecords,
  underWayRecords,
} from '../../../src/payouts/index.js';
import { marginRecords } from '../../../src/refunds/index.js';
import { parametersOf, vaultOfSecret } from '../../../src/runtime/index.js';
import { proposalRecords, type SuspenseItem, type SuspenseProposal, suspenseRecords } from '../../../src/suspense/index.js';
import { furnish } from './desk-claims.js';
import { furnishDeal } from './desk-escrow.js';
import { furnishProject } from './desk-lending.js';
import { PURPOSES } from './world.js';

type Changeable<T> = { -readonly [K in keyof T]: T[K] };
const id = (place: number) => asId(`2236512894231552${String(place).padStart(3, '0')}`);
const NOW = Date.parse('2026-03-02T09:00:00+08:00') as Instant;

/** What is the same for every instruction. */
const SURROUNDINGS = {
  parameters: parametersOf(
    PARAMETERS.map(([name, validFrom, value, source]) => ({
      name,
      validFrom: validFrom as BusinessDate,
      value: BigInt(value),
      source,
    })),
  ),
  policies: { rows: new Map() } satisfies PolicyTable,
  vault: vaultOfSecret('books of paper'),
};
const HER_CARD = SURROUNDINGS.vault.index('card', '6228480012345678903');

/** What is there of a record that always is, before anything changed it. */
const NOTHING: Readonly<Record<string, (key: string) => unknown>> = {
  'order-shares': (key) => ({ orderId: key, shares: [] }),
  'shortage-queue': (key) => ({ accountId: key, waiting: [] }),
  debt: (key) => ({ accountId: key, open: [] }),
  'claim-queue': (key) => ({ accountId: key, lastPlace: 0, claims: [] }),
  margin: (key) => ({ accountId: key, platformId: undefined, marginId: null, target: 0n }),
  advance: (key) => ({ platformId: key, ceiling: 0n, outstanding: 0n }),
  'escrow-funds': (key) => ({ dealId: key, funds: [] }),
  'open-bids': (key) => ({ projectId: key, bids: [] }),
  claims: (key) => ({ projectId: key, claims: [] }),
  compensations: (key) => ({ projectId: key, paid: [] }),
  'fund-fast-use': noFastUse,
};

/** What the examples of the kinds speak of. */
export const DESK = {
  platform: id(900),
  anna: id(3),
  ben: id(4),
  hold: id(9),
  item: id(50),
  proposal: id(51),
  original: id(11),
  /** A person with both classes; the bank has seen her, and her card has paid in. */
  lily: id(41),
  lily2: id(6),
  lily3: id(7),
  mandate: id(31),
  payout: id(21),
  collected: id(22),
  waiting: id(23),
  order: id(101),
  margin: id(105),
  instruction: id(500),
  now: NOW,
  today: '2026-03-02' as BusinessDate,
} as const;

/**
 * One platform's accounts and records in memory, such that the example of every kind can be posted; tests spoil them. It
 * decides and posts as the engine does, without a database, and keeps what a posted instruction changed.
 */
export class Desk {
  readonly kind: Kind;
  // biome-ignore lint/suspicious/noExplicitAny: a test bends the wire form of any kind
  data: any;
  origin: Origin;
  now: Instant = NOW;
  readonly book: Changeable<Book> & { terms: Changeable<Book['terms']> };
  readonly #accounts = new Map<Id, Changeable<LedgerAccount>>();
  readonly #records = new Map<string, Map<string, unknown>>();
  #instructions = 0;

  constructor(kind: string) {
    this.kind = kinds.get(kind) as Kind;
    this.data = structuredClone(this.kind.example);
    this.origin = this.kind.origins[0] as Origin;
    const own = Object.fromEntries(PURPOSES.map((purpose, place) => [purpose, id(200 + place)])) as Record<string, Id>;
    this.book = {
      platformId: DESK.platform,
      shardId: 0,
      currency: 'CNY',
      custodyNo: 'C-1',
      businessDate: DESK.today,
      provedTo: addDays(DESK.today, -1),
      profile: 'marketplace',
      accounts: own as Book['accounts'],
      terms: { transferMax: 100_000n, feeMax: 100_000n },
    };
    for (const [purpose, account] of Object.entries(own)) this.open(account, purpose as AccountType);
    for (const account of [DESK.anna, DESK.ben]) this.open(account, 'sub').balance = 20_000n;
    this.account(this.book.accounts.custody).balance = -100_000n;
    this.account(this.book.accounts['in-transit']).balance = 20_000n;
    this.#fill();
    furnish(this, DESK);
    furnishDeal(this, DESK);
    if (/^(fund|pot)-/.test(this.kind.name))
      furnishFunds(
        { open: (account, type) => this.open(account, type), put: (type, key, row) => this.put(type, key, row) },
        { platform: DESK.platform, account: DESK.lily2, customer: DESK.lily, now: NOW },
      );
    for (const level of [2, 3] as const) this.#openElectronic(level);
    furnishProject(this, DESK);
    this.put(consentRecords, DESK.instruction, this.#consent());
    this.put(mandateRecords, DESK.mandate, this.#mandate());
  }

  #openElectronic(of: 2 | 3): void {
    const accountId = of === 2 ? DESK.lily2 : DESK.lily3;
    this.open(accountId, `class-${of}`).balance = of === 2 ? 100_000n : 50_000n;
    const owner = { stopped: null, idExpires: null, idTaskDueMs: null, documented: false };
    const account: ElectronicAccount = {
      accountId,
      platformId: DESK.platform,
      customerId: DESK.lily,
      userId: DESK.lily,
      class: of,
      virtualNo: `915600000000000000${of}`,
      state: 'active',
      faceToFace: true,
      funded: true,
      aliveMs: null,
      cardIndex: HER_CARD,
      cardClass: '1',
      interestFrom: '2025-09-21' as BusinessDate,
      openedMs: NOW,
      closedMs: null,
      owner,
    };
    this.put(electronicRecords, accountId, account);
    const carried = { day: '2025-09-20' as BusinessDate, balance: 100_000n, seq: 1 };
    this.put(accrualRecords, accountId, { accountId, platformId: DESK.platform, carried, days: [] });
    this.put(settlementAccountRecords, accountId, { name: '李四', account: '6228480012345678903', bankCode: '103100000026' });
    this.put(underWayRecords, accountId, { paid: 0n, collected: 0n });
    const counters = { dayIn: 0n, dayOut: 0n, yearIn: 0n, yearOut: 0n, turnover: 0n };
    const use: LimitUse = { customerId: DESK.lily, accountId, class: of, day: DESK.today, ...counters };
    const uses = this.get(limitUseRecords, DESK.lily)?.uses ?? [];
    this.put(limitUseRecords, DESK.lily, { uses: [...uses, use], touched: new Set<Id>() });
  }

  #consent(): Consent {
    const bound = { instruction: DESK.instruction, platformId: DESK.platform, customerId: DESK.lily };
    return { id: id(32), ...bound, needs: 'both', state: 'given', expiresMs: NOW, cardIndex: HER_CARD, digest: Buffer.alloc(32) };
  }

  #mandate(): Mandate {
    return {
      id: DESK.mandate,
      platformId: DESK.platform,
      customerId: DESK.lily,
      accountId: DESK.lily2,
      kinds: ['account-payment', 'top-up'],
      payees: { orders: true, projects: false, funds: false, accounts: [] },
      paymentCap: 10_000n,
      totalCap: 20_000n,
      period: null,
      periodCap: null,
      expiresMs: (NOW + 86_400_000) as Instant,
      state: 'active',
      usedTotal: 0n,
      usedPeriod: 0n,
      periodKey: '',
      useCount: 0,
    };
  }

  #fill(): void {
    const bound: SettlementAccount = { name: '户名', account: '6222020000000000078', bankCode: '' };
    this.put(settlementAccountRecords, DESK.anna, bound);
    if (this.kind.name !== 'payment') {
      const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };
      const counters = { paid: 60_000n, split: 10_000n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
      const order: Order = {
        accountId: DESK.order,
        platformId: DESK.platform,
        orderNo: 'SO-1001',
        payer,
        payerAccountId: null,
        ...counters,
        openedMs: NOW,
        paidOn: DESK.today,
      };
      this.put(orderRecords, orderKey(DESK.platform, 'SO-1001'), order);
      this.open(DESK.order, 'order').balance = 50_000n;
      const share: OrderShare = { orderId: DESK.order, receiverId: DESK.anna, split: 10_000n, returned: 0n };
      this.put(shareRecords, shareKey(DESK.order, DESK.anna), share);
    }
    const hold: Hold = {
      id: DESK.hold,
      platformId: DESK.platform,
      accountId: DESK.anna,
      amount: 500n,
      captured: 0n,
      released: 0n,
      purpose: '保证',
      expiresMs: null,
      createdMs: NOW,
    };
    if (['release', 'capture', 'bulk-release'].includes(this.kind.name)) {
      this.put(holdRecords, DESK.hold, hold);
      this.account(DESK.anna).held = 500n;
    }
    if (this.kind.name.startsWith('suspense-')) this.#fillSuspense();
    if (['channel-settled', 'collection-credited'].includes(this.kind.name)) this.#fillCollections();
    if (this.kind.name === 'acquirer-fee') this.account(this.book.accounts['own-funds']).balance = 90n;
    if (this.kind.name === 'margin-release') this.openMargin(5_000n);
    if (this.kind.name === 'subsidy') this.account(this.book.accounts.marketing).balance = 800n;
    if (this.kind.name === 'subsidy-return') {
      this.bend(orderRecords, orderKey(DESK.platform, 'SO-1001'), { subsidised: 300n });
      this.account(DESK.order).balance += 300n;
    }
    this.put(payoutRecords, DESK.payout, this.#payout());
    this.put(pastRecords, DESK.original, this.#original());
  }

  /** Two collections by a channel that pays over later: it owes the first, and has paid over the second. */
  #fillCollections(): void {
    const [dueId, collectedId] = [id(120), id(121)];
    this.open(dueId, 'channel-due').balance = -3_000n;
    this.open(collectedId, 'collected').balance = 5_000n;
    this.put(channelAccountRecords, DESK.platform, { platformId: DESK.platform, dueId, collectedId });
    const dates = { dueOn: DESK.today, clearsOn: addDays(DESK.today, 1) };
    const of = { platformId: DESK.platform, channel: 'psp-collect' as const, atOnce: false, ...dates, creditedBy: null };
    this.put(collectionRecords, DESK.collected, {
      ...{ ...of, payoutId: DESK.collected, amount: 3_000n, reference: DESK.collected, settledBy: null },
    });
    this.put(collectionRecords, DESK.waiting, {
      ...{ ...of, payoutId: DESK.waiting, amount: 5_000n, reference: DESK.waiting, settledBy: id(12) },
    });
    const payout = { purpose: 'top-up' as const, state: 'settled' as const, channel: 'psp-collect' as const };
    this.put(payoutRecords, DESK.waiting, { ...this.#payout(), ...payout, id: DESK.waiting, sourceAccountId: DESK.anna });
  }

  #fillSuspense(): void {
    this.account(this.book.accounts.suspense).balance = 2_500n;
    const payer = { name: '王五', account: '6222020000000000078', bankCode: '102100099996' };
    const item: SuspenseItem = {
      ...{ id: DESK.item, platformId: DESK.platform, amount: 2_500n, attributed: 0n, returned: 0n, undone: 0n },
      ...{ source: 'statement', reference: 'CR-1', payoutId: null, fromAccountId: null, payer, told: '', clears: null },
      ...{ fundedOn: addDays(DESK.today, -1), sinceMs: NOW, changedMs: NOW },
    };
    this.put(suspenseRecords, DESK.item, item);
    const attributes = this.kind.name === 'suspense-attribution';
    const sealed = { reasonSealed: '', noteSealed: null };
    const of = { itemId: DESK.item, platformId: DESK.platform, amount: 700n, instructionId: null, ...sealed };
    const proposal: SuspenseProposal = {
      ...{
        ...of,
        id: attributes ? DESK.proposal : id(52),
        action: attributes ? 'attribute' : 'return',
        accountId: attributes ? DESK.anna : null,
      },
      ...{ state: 'approved', proposedBy: id(61), proposedMs: NOW, decidedBy: id(62), decidedMs: NOW },
    };
    this.put(proposalRecords, attributes ? DESK.proposal : id(52), proposal);
  }

  #payout(): Payout {
    return {
      id: DESK.payout,
      platformId: DESK.platform,
      shardId: 0,
      purpose: 'withdrawal',
      sourceAccountId: DESK.anna,
      orderNo: null,
      amount: 5_000n,
      payee: { name: '户名', account: '6222020000000000078', bankCode: '' },
      businessDate: DESK.today,
      fundedOn: addDays(DESK.today, -1),
      state: this.kind.name === 'payout-returned' ? 'settled' : 'sent',
      channel: 'book',
      reason: null,
      attempts: 1,
      nextMs: NOW,
      createdMs: NOW,
      changedMs: NOW,
    };
  }

  /** The split by which anna got what she got out of the order. */
  #original(): PastInstruction {
    const entry = (account: Id, amount: bigint) => ({
      account,
      amount,
      seq: 1,
      instruction: DESK.original,
      balance: 0n,
      businessDate: DESK.today,
      postedMs: NOW,
      hash: Buffer.alloc(32),
    });
    const lines = [{ account: `acc_${DESK.anna}`, amount: { amount: 10_000, currency: 'CNY' } }];
    return {
      id: DESK.original,
      platformId: DESK.platform,
      origin: 'P',
      kind: 'split',
      body: JSON.stringify({ orderNo: 'SO-1001', lines }),
      posted: true,
      businessDate: DESK.today,
      postedMs: NOW,
      entries: [entry(DESK.order, -10_000n), entry(DESK.anna, 10_000n)],
      correctedBy: null,
    };
  }

  open(account: Id, type: AccountType): Changeable<LedgerAccount> {
    const opened = newAccount(account, DESK.platform, type);
    this.#accounts.set(account, opened);
    return opened;
  }

  /** A margin of anna's. */
  openMargin(balance: bigint, target = 0n): void {
    this.open(DESK.margin, 'margin').balance = balance;
    this.put(marginRecords, DESK.anna, { accountId: DESK.anna, platformId: DESK.platform, marginId: DESK.margin, target });
  }

  account(account: Id): Changeable<LedgerAccount> {
    const found = this.#accounts.get(account);
    if (found === undefined) throw new Error(`no account ${account}`);
    return found;
  }

  removeAccount(account: Id): void {
    this.#accounts.delete(account);
  }

  put<Row>(type: RecordType<Row>, key: string, row: Row): void {
    const rows = this.#records.get(type.name) ?? new Map<string, unknown>();
    this.#records.set(type.name, rows.set(key, row));
  }

  get<Row>(type: RecordType<Row>, key: string): Row {
    return this.#records.get(type.name)?.get(key) as Row;
  }

  /** The record with some of its fields changed. */
  bend<Row>(type: RecordType<Row>, key: string, fields: Partial<Row>): void {
    this.put(type, key, { ...this.get(type, key), ...fields });
  }

  remove(type: RecordType<never> | { name: string }, key: string): void {
    this.#records.get(type.name)?.delete(key);
  }

  get facts(): Facts {
    return {
      account: (account) => this.#accounts.get(account),
      record: <Row>(type: RecordType<Row>, key: string) =>
        (this.#records.get(type.name)?.get(key) ?? this.#summedUp(type, key)) as Row | undefined,
    };
  }

  /** What the engine sums up of other records when it loads them. */
  #summedUp<Row>(type: RecordType<Row>, key: string): unknown {
    const nothing = NOTHING[type.name]?.(key);
    const { sumsUp } = type;
    if (nothing === undefined || sumsUp === undefined) return nothing;
    const parts = [...(this.#records.get(sumsUp.type.name)?.values() ?? [])].filter((part) => sumsUp.keyOf(part) === key);
    return parts.reduce((sum, part) => sumsUp.changed(sum as Row, undefined, part), nothing);
  }

  get at(): At {
    const instruction = asId(BigInt(DESK.instruction) + BigInt(this.#instructions));
    const calendar = { exceptions: new Map(), knownYears: new Set(['2026']) };
    return {
      instruction,
      platformId: DESK.platform,
      origin: this.origin,
      nowMs: this.now,
      book: this.book,
      calendar,
      ...SURROUNDINGS,
    };
  }

  decide(): Decision {
    return judge(this.kind, this.kind.schema.parse(this.data), this.facts, this.at);
  }

  /** Decides and posts; 'posted' or the code of the refusal. */
  give(): string {
    const decision = this.decide();
    if ('refused' in decision) return decision.refused.code;
    if ('waits' in decision) {
      if (decision.waits === 'funds') this.#keep({ postings: [], records: decision.records });
      return decision.waits;
    }
    for (const { id: account, type } of decision.opens ?? []) this.open(account, type);
    const stamp = { instruction: this.at.instruction, businessDate: this.book.businessDate, postedMs: this.now };
    const posted = post(decision, stamp, (account) => this.account(account));
    if ('code' in posted) {
      for (const { id: account } of decision.opens ?? []) this.removeAccount(account);
      return posted.code;
    }
    assertSuspense(decision, this.facts, this.at);
    this.#keep(decision);
    this.#instructions += 1;
    return 'posted';
  }

  /** The instruction at hand is not given again. */
  skip(): void {
    this.#instructions += 1;
  }

  /** Another instruction at the same desk. */
  giveNext(kind: string, data: unknown, origin: Origin = 'P'): string {
    Object.assign(this, { kind: kinds.get(kind), data, origin });
    return this.give();
  }

  #keep({ records, boundary, postings }: Effects): void {
    for (const { type, key, row } of records ?? []) this.put(type, key, row);
    const crossed = (boundary ?? []).reduce((sum, { amount }) => sum + amount, 0n);
    const custody = postings
      .filter(({ account }) => account === this.book.accounts.custody)
      .reduce((sum, { amount }) => sum + amount, 0n);
    if (crossed + custody !== 0n) throw new Error('what crosses the wall is not what custody moves by');
  }

  /** All of it as text, for comparing before and after. */
  snapshot(): string {
    const plain = (_key: string, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value instanceof Map ? [...value] : value;
    return JSON.stringify([this.#accounts, this.#records, this.book], plain);
  }
}
