import {
  accrualRecords,
  type ElectronicAccount,
  electronicRecords,
  type LimitUse,
  limitUseRecords,
  type SettlementAccount,
} from '../../src/accounts/index.js';
import { type Consent, consentRecords, type Mandate, mandateRecords, type PolicyTable } from '../../src/consents/index.js';
import { settlementAccountRecords } from '../../src/instructions/effects/payouts.js';
import { kinds } from '../../src/instructions/index.js';
import { judge } from '../../src/instructions/judging/judge.js';
import type { At, Effects, Facts, Kind, Origin } from '../../src/instructions/kind.js';
import { pastRecords } from '../../src/instructions/past.js';
import {
  addDays,
  asId,
  type BusinessDate,
  type Id,
  type Instant,
  instantOf,
  invariant,
  startOfDay,
} from '../../src/kernel/index.js';
import {
  ACCOUNT_TYPES,
  type AccountType,
  type Book,
  type Entry,
  type LedgerAccount,
  newAccount,
  post,
  type RecordType,
} from '../../src/ledger/index.js';
import { PARAMETERS } from '../../src/migrations/data/parameters.js';
import { type Payout, payoutRecords, underWayRecords } from '../../src/payouts/index.js';
import { parametersOf, vaultOfSecret } from '../../src/runtime/index.js';
import { proposalRecords, type SuspenseProposal } from '../../src/suspense/index.js';
import { furnishFunds, noFastUse } from './example-funds.js';

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

/** What an instruction did to a book: the entries it made, and what it told besides. */
export interface Posted {
  readonly entries: readonly Entry[];
  readonly effects: Effects;
}

/** What the engine has of a record that nothing has changed yet. */
const NOTHING: Readonly<Record<string, (key: string) => unknown>> = {
  'order-shares': (key) => ({ orderId: key, shares: [] }),
  'shortage-queue': (key) => ({ accountId: key, waiting: [] }),
  debt: (key) => ({ accountId: key, open: [] }),
  margin: (key) => ({ accountId: key, platformId: undefined, marginId: null, target: 0n }),
  advance: (key) => ({ platformId: key, ceiling: 0n, outstanding: 0n }),
  'claim-queue': (key) => ({ accountId: key, lastPlace: 0, claims: [] }),
  'escrow-funds': (key) => ({ dealId: key, funds: [] }),
  'open-bids': (key) => ({ projectId: key, bids: [] }),
  claims: (key) => ({ projectId: key, claims: [] }),
  compensations: (key) => ({ projectId: key, paid: [] }),
  'fund-fast-use': noFastUse,
};

const FIRST_DATE = '2026-03-02' as BusinessDate;
const SECOND_DATE = '2026-03-03' as BusinessDate;
const PLATFORM = idOf(1);

/** The ids that the examples of the kinds name end in these numbers. */
export function idOf(number: number): Id {
  return asId(2236512894231552000n + BigInt(number));
}

const HER_CARD = '6228480012345678903';
const HER_MANDATE: Mandate = {
  ...{ id: idOf(31), platformId: PLATFORM, customerId: idOf(41), accountId: idOf(6), kinds: ['account-payment', 'top-up'] },
  ...{
    payees: { orders: true, projects: false, funds: false, accounts: [] },
    paymentCap: 10_000n,
    totalCap: 20_000n,
    period: null,
    periodCap: null,
  },
  ...{ expiresMs: startOfDay('2027-01-01' as BusinessDate) as Instant, state: 'active', usedTotal: 0n, usedPeriod: 0n },
  ...{ periodKey: '', useCount: 0 },
};

function electronicOf(accountId: Id, level: 2 | 3): ElectronicAccount {
  return {
    ...{ accountId, platformId: PLATFORM, customerId: idOf(41), userId: idOf(42), class: level, virtualNo: `${accountId}` },
    ...{ state: 'active', faceToFace: true, funded: true, aliveMs: null, cardClass: '1' },
    cardIndex: SURROUNDINGS.vault.index('card', HER_CARD),
    interestFrom: '2025-09-21' as BusinessDate,
    ...{ openedMs: instantOf(0), closedMs: null },
    owner: { stopped: null, idExpires: null, idTaskDueMs: null, documented: true },
  };
}

/** An account that an instruction opens is its order's. */
function orderNoOf(data: unknown): string {
  const { orderNo, to } = data as { readonly orderNo?: string; readonly to?: { readonly orderNo?: string } };
  return orderNo ?? to?.orderNo ?? '';
}

/** A platform's book in memory, decided and posted by the kinds and the ledger themselves; what the engine keeps in tables is in maps. */
export class SmallBook {
  readonly accounts = new Map<Id, LedgerAccount>();
  readonly labels = new Map<Id, string>();
  readonly #records = new Map<string, Map<string, unknown>>();
  #book: Book;

  constructor() {
    const functional = (Object.keys(ACCOUNT_TYPES) as AccountType[]).filter(
      (type) => !['sub', 'margin', 'order', 'escrow', 'class-2', 'class-3', 'fund-collection', 'fund-advance'].includes(type),
    );
    const ids = Object.fromEntries(functional.map((type, place) => [type, idOf(201 + place)])) as Book['accounts'];
    this.#book = {
      platformId: PLATFORM,
      shardId: 0,
      currency: 'CNY',
      custodyNo: '9990106000001',
      businessDate: FIRST_DATE,
      provedTo: addDays(FIRST_DATE, -1),
      profile: 'marketplace',
      accounts: ids,
      terms: { transferMax: 50_000n, feeMax: 1_000n },
    };
    for (const type of functional) this.open(ids[type as keyof Book['accounts']], type, '');
    for (const [id, label] of [
      [idOf(3), 'A'],
      [idOf(4), 'B'],
    ] as const) {
      this.open(id, 'sub', label);
      const bound: SettlementAccount = { name: label, account: '6228480012345678903', bankCode: '' };
      this.#keep(settlementAccountRecords.name, id, bound);
    }
  }

  /** A person's Class II and Class III accounts: the bank has seen her, and her card has paid in. */
  openElectronic(): void {
    const [customerId, platformId] = [idOf(41), PLATFORM];
    const counters = { dayIn: 0n, dayOut: 0n, yearIn: 0n, yearOut: 0n, turnover: 0n };
    const uses: LimitUse[] = [];
    for (const level of [2, 3] as const) {
      const accountId = idOf(4 + level);
      this.open(accountId, `class-${level}`, 'L');
      this.#keep(settlementAccountRecords.name, accountId, { name: 'L', account: HER_CARD, bankCode: '' });
      this.#keep(electronicRecords.name, accountId, electronicOf(accountId, level));
      const carried = { day: '2025-09-20', balance: 100_000n, seq: 1 };
      this.#keep(accrualRecords.name, accountId, { accountId, platformId, carried, days: [] });
      this.#keep(underWayRecords.name, accountId, { paid: 0n, collected: 0n });
      uses.push({ customerId, accountId, class: level, day: FIRST_DATE, ...counters });
    }
    this.#keep(limitUseRecords.name, customerId, { uses, touched: new Set<Id>() });
    this.#keep(mandateRecords.name, idOf(31), HER_MANDATE);
  }

  /** She says yes to an instruction before it is given. */
  consentTo(instruction: Id): void {
    const cardIndex = SURROUNDINGS.vault.index('card', HER_CARD);
    const bound = { instruction, platformId: PLATFORM, customerId: idOf(41), cardIndex, digest: Buffer.alloc(32) };
    const given: Consent = { id: idOf(32), ...bound, needs: 'both', state: 'given', expiresMs: instantOf(0) };
    this.#keep(consentRecords.name, instruction, given);
  }

  open(id: Id, type: AccountType, label: string): LedgerAccount {
    const account = newAccount(id, PLATFORM, type);
    this.accounts.set(id, account);
    this.labels.set(id, label);
    return account;
  }

  readonly platformId = PLATFORM;

  get functional(): Book['accounts'] {
    return this.#book.accounts;
  }

  #keep(type: string, key: string, row: unknown): void {
    this.#records.set(type, (this.#records.get(type) ?? new Map()).set(key, row));
  }

  /** A record as the engine would load it. */
  keep<Row>(type: RecordType<Row>, key: string, row: Row): void {
    this.#keep(type.name, key, row);
  }

  /** What is there of a record that always is, before anything changed it; else undefined. What the engine sums up is summed up here. */
  recordOf<Row>(type: RecordType<Row>, key: string): Row | undefined {
    const kept = this.#records.get(type.name)?.get(key);
    const nothing = NOTHING[type.name]?.(key);
    if (kept !== undefined || nothing === undefined) return kept as Row | undefined;
    const { sumsUp } = type;
    if (sumsUp === undefined) return nothing as Row;
    const parts = [...(this.#records.get(sumsUp.type.name)?.values() ?? [])].filter((part) => sumsUp.keyOf(part) === key);
    return parts.reduce<Row>((sum, part) => sumsUp.changed(sum, undefined, part), nothing as Row);
  }

  #find = (id: Id): LedgerAccount => {
    const account = this.accounts.get(id);
    invariant(account, `account ${id} is in the small book`);
    return account;
  };

  /**
   * Decides and posts one instruction.
   * @param data its wire form
   * @throws when it is refused: an example of the documents is one that works
   */
  give(instruction: Id, kindName: string, data: unknown): Posted {
    const kind = kinds.get(kindName) as Kind;
    const parsed = kind.schema.parse(data);
    const at = this.#at(instruction, kind.origins[0] as Origin);
    const facts: Facts = {
      account: (id) => this.accounts.get(id),
      record: (type, key) => this.recordOf(type, key),
    };
    const decision = judge(kind, parsed, facts, at);
    if ('refused' in decision || 'waits' in decision)
      throw new Error(`the example of ${kindName} is not posted: ${JSON.stringify(decision)}`);
    for (const { id, type } of decision.opens ?? []) this.open(id, type, orderNoOf(data));
    const posted = post(decision, { instruction, businessDate: at.book.businessDate, postedMs: at.nowMs }, this.#find);
    if ('code' in posted) throw new Error(`the example of ${kindName} cannot be posted: ${JSON.stringify(posted)}`);
    for (const { type, key, row } of decision.records ?? []) this.#keep(type.name, key, row);
    this.#keep(pastRecords.name, instruction, {
      ...{ id: instruction, platformId: PLATFORM, origin: at.origin, kind: kindName, body: JSON.stringify(data) },
      ...{ posted: true, businessDate: at.book.businessDate, postedMs: at.nowMs, entries: posted, correctedBy: null },
    });
    return { entries: posted, effects: decision };
  }

  #at(instruction: Id, origin: Origin): At {
    const nowMs = instantOf(startOfDay(this.#book.businessDate) + 36_000_000);
    const calendar = { exceptions: new Map<string, boolean>(), knownYears: new Set(['2026']) };
    return { instruction, platformId: PLATFORM, origin, nowMs, book: this.#book, calendar, ...SURROUNDINGS };
  }

  /** Two people decided what shall become of money on suspense. */
  proposeOnSuspense(id: Id, accountId: Id | null): void {
    const of = {
      id,
      platformId: PLATFORM,
      itemId: idOf(50),
      accountId,
      amount: 700n,
      reasonSealed: '',
      instructionId: null,
      noteSealed: null,
    };
    const [proposedBy, decidedBy, at] = [idOf(61), idOf(62), instantOf(0)];
    const proposal: SuspenseProposal = {
      ...{ ...of, action: accountId === null ? 'return' : 'attribute', state: 'approved' },
      ...{ proposedBy, proposedMs: at, decidedBy, decidedMs: at },
    };
    this.#keep(proposalRecords.name, id, proposal);
  }

  /** Opens the next business date; what has become due is withdrawable. */
  openDate(date: BusinessDate): void {
    this.#book = { ...this.#book, businessDate: date };
    for (const account of this.accounts.values()) account.uncleared = account.uncleared.filter((slice) => slice.due > date);
  }

  /** What the dispatch does outside the engine; no money moves. */
  markSent(payout: Id): void {
    const row = this.#records.get(payoutRecords.name)?.get(payout) as Payout;
    this.#keep(payoutRecords.name, payout, { ...row, state: 'sent' });
  }
}

/**
 * A book on which every example of the kinds can be posted: order SO-1001 with money left on it, sub-merchants A and B who
 * got their part the day before, a hold, a fee to correct, a payout that was sent, and a person L whose Class II account got 1,000.00
 * from her card.
 */
export function seededBook(): SmallBook {
  const book = new SmallBook();
  const cny = (amount: number) => ({ amount, currency: 'CNY' });
  const [a, b] = [`acc_${idOf(3)}`, `acc_${idOf(4)}`];
  book.give(idOf(101), 'payment', { ...(kinds.get('payment')?.example as object), amount: cny(30_000), reference: 'COL-1000' });
  book.openElectronic();
  const payer = { name: 'L', account: HER_CARD, bankCode: '' };
  const paidIn = { account: `acc_${idOf(6)}`, amount: cny(100_000), payer, reference: 'TR-1000' };
  book.give(idOf(103), 'incoming-transfer', paidIn);
  const lines = [a, b, `acc_${book.functional.commission}`].map((account, place) => ({
    account,
    amount: cny([15_000, 2_000, 1_000][place] ?? 0),
  }));
  book.give(idOf(102), 'split', { orderNo: 'SO-1001', lines });
  const unknown = { name: 'X', account: '6222020000000000078', bankCode: '' };
  book.give(idOf(50), 'suspense-credit', { amount: cny(2_500), payer: unknown, reference: 'CR-1' });
  book.proposeOnSuspense(idOf(51), idOf(3));
  book.proposeOnSuspense(idOf(52), null);
  book.openDate(SECOND_DATE);
  book.give(idOf(9), 'hold', { account: a, amount: cny(300), purpose: '售后保证' });
  book.give(idOf(11), 'fee', { account: a, amount: cny(60), for: '技术服务费' });
  book.give(idOf(21), 'withdrawal', { account: a, amount: cny(1_000) });
  book.markSent(idOf(21));
  book.consentTo(idOf(401));
  furnishFunds(
    { open: (id, type) => book.open(id, type, ''), put: (type, key, row) => book.keep(type, key, row) },
    { platform: PLATFORM, account: idOf(6), customer: idOf(41), now: instantOf(startOfDay(SECOND_DATE)) },
  );
  return book;
}
