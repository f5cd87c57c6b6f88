import { createHash } from 'node:crypto';
import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asId, BALANCE_MAX, type BusinessDate, type Id, type Instant } from '../../src/kernel/index.js';
import {
  availableOf,
  chainHash,
  type Entry,
  GENESIS_HASH,
  type LedgerAccount,
  type Movement,
  newAccount,
  type Posting,
  post,
  reservedOf,
  unclearedOf,
  withdrawableOf,
} from '../../src/ledger/index.js';

const PLATFORM = asId('2000000000000000000');
const CUSTODY = asId('2000000000000000001');
const OTHERS = [2, 3, 4, 5].map((n) => asId(`200000000000000000${n}`));
const DUES = ['2026-03-03', '2026-03-04', '2026-03-09'] as BusinessDate[];

class Books {
  readonly accounts = new Map<Id, LedgerAccount>([
    [CUSTODY, newAccount(CUSTODY, PLATFORM, 'custody')],
    ...OTHERS.map((id) => [id, newAccount(id, PLATFORM, 'sub')] as const),
  ]);
  readonly entries: Entry[] = [];
  #instruction = 3_000_000_000_000_000_000n;

  post(movement: Movement): string {
    this.#instruction += 1n;
    const stamp = { instruction: asId(this.#instruction), businessDate: '2026-03-02' as BusinessDate, postedMs: 1 as Instant };
    const result = post(movement, stamp, (id) => this.accounts.get(id) as LedgerAccount);
    if ('code' in result) return result.code;
    this.entries.push(...result);
    return 'posted';
  }

  at(place: number): LedgerAccount {
    return this.accounts.get(OTHERS[place] as Id) as LedgerAccount;
  }

  snapshot(): string {
    return JSON.stringify([...this.accounts.values()], (_key, value) => (typeof value === 'bigint' ? String(value) : value));
  }

  /** All uncleared money, by date. */
  uncleared(): Record<string, bigint> {
    const totals: Record<string, bigint> = {};
    for (const account of this.accounts.values()) {
      for (const { due, amount } of account.uncleared) totals[due] = (totals[due] ?? 0n) + amount;
    }
    return totals;
  }
}

const place = fc.nat({ max: 3 });
const amount = fc.bigInt({ min: 1n, max: 120n });
const draw = fc.constantFrom<Posting['draw']>('cleared-first', 'uncleared-first', 'cleared-only', undefined);

/** Any movement of the shapes that exist: in, out, between one or several accounts, held and freed. */
const movements: fc.Arbitrary<Movement> = fc.oneof(
  fc.record({ to: place, amount, clears: fc.constantFrom(undefined, ...DUES) }).map(({ to, amount: x, clears }) => ({
    postings: [
      { account: CUSTODY, amount: -x },
      { account: OTHERS[to] as Id, amount: x, ...(clears === undefined ? {} : { clears }) },
    ],
  })),
  fc.record({ from: place, amount, draw }).map(({ from, amount: x, draw: how }) => ({
    postings: [
      { account: OTHERS[from] as Id, amount: -x, ...(how === undefined ? {} : { draw: how }) },
      { account: CUSTODY, amount: x },
    ],
  })),
  betweenAccounts(),
  fc
    .record({ on: place, amount })
    .map(({ on, amount: x }) => ({ postings: [], holds: [{ account: OTHERS[on] as Id, amount: x }] })),
);

/** Debits of one or two accounts, credits of the others that inherit. */
function betweenAccounts(): fc.Arbitrary<Movement> {
  return fc
    .record({
      order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 2 }),
      parts: fc.array(amount, { minLength: 4, maxLength: 4 }),
      draw,
    })
    .map(({ order, parts, draw: how }) => {
      const debits = order.slice(0, Math.max(1, order.length - 2));
      const credits = order.slice(debits.length);
      const total = debits.reduce((sum, _, index) => sum + (parts[index] as bigint), 0n);
      const share = total / BigInt(credits.length);
      const given = credits.map((_, index) => (index === 0 ? total - share * BigInt(credits.length - 1) : share));
      return {
        postings: [
          ...debits.map((from, index) => ({
            account: OTHERS[from] as Id,
            amount: -(parts[index] as bigint),
            ...(how === undefined ? {} : { draw: how }),
          })),
          ...credits
            .map((to, index) => ({ account: OTHERS[to] as Id, amount: given[index] as bigint, clears: 'inherit' as const }))
            .filter((posting) => posting.amount > 0n),
        ],
      };
    });
}

type Step =
  | { readonly movement: Movement }
  | { readonly on: number; readonly state: LedgerAccount['state'] }
  | { readonly claim: number; readonly by: bigint }
  | { readonly free: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 12, arbitrary: movements.map((movement) => ({ movement })) },
    {
      weight: 1,
      arbitrary: fc.record({ on: place, state: fc.constantFrom('open' as const, 'frozen' as const, 'closed' as const) }),
    },
    { weight: 2, arbitrary: fc.record({ free: place }) },
    { weight: 2, arbitrary: fc.record({ claim: place, by: fc.bigInt(1n, 200n) }) },
  ),
  { maxLength: 60 },
);
const SEEDED = { seed: 20260302, numRuns: 300 };

function run(books: Books, step: Step): string {
  if ('movement' in step) return books.post(step.movement);
  if ('free' in step) {
    const { id, held } = books.at(step.free);
    return held === 0n ? 'nothing' : books.post({ postings: [], holds: [{ account: id, amount: -held }] });
  }
  if ('claim' in step) {
    const { id, claimed } = books.at(step.claim);
    return books.post({ postings: [], claims: [{ account: id, amount: claimed > step.by ? -claimed : step.by }] });
  }
  Object.assign(books.at(step.on), { state: step.state });
  return 'nothing';
}

describe('whatever is posted', () => {
  property.prop([steps], SEEDED)('all accounts sum to zero, and none falls below its floor', (list) => {
    const books = new Books();
    for (const step of list) {
      run(books, step);
      let sum = 0n;
      for (const account of books.accounts.values()) {
        sum += account.balance;
        if (account.type === 'custody') expect(account.balance).toBeLessThanOrEqual(0n);
        else {
          expect(account.held).toBeGreaterThanOrEqual(0n);
          expect(availableOf(account)).toBeGreaterThanOrEqual(0n);
          expect(account.balance).toBeGreaterThanOrEqual(unclearedOf(account));
          expect(withdrawableOf(account)).toBeGreaterThanOrEqual(0n);
        }
      }
      expect(sum).toBe(0n);
    }
  });

  property.prop([steps], SEEDED)('a refusal changes nothing at all, not a counter and not a hash', (list) => {
    const books = new Books();
    for (const step of list) {
      const before = books.snapshot();
      const entries = books.entries.length;
      const result = run(books, step);
      if (result === 'posted' || result === 'nothing') continue;
      expect(books.snapshot()).toBe(before);
      expect(books.entries).toHaveLength(entries);
    }
  });

  property.prop([steps], SEEDED)(
    'the entries of an account are a chain that ends in its head, with the balance running along',
    (list) => {
      const books = new Books();
      for (const step of list) run(books, step);
      for (const account of books.accounts.values()) {
        let head: Buffer = GENESIS_HASH;
        let balance = 0n;
        const own = books.entries.filter((entry) => entry.account === account.id);
        for (const [index, entry] of own.entries()) {
          balance += entry.amount;
          head = chainHash(head, entry);
          expect(entry).toMatchObject({ seq: index + 1, balance });
          expect(entry.hash.equals(head)).toBe(true);
        }
        expect(own).toHaveLength(account.entryCount);
        expect(account.balance).toBe(balance);
        expect(account.headHash.equals(head)).toBe(true);
      }
    },
  );

  property.prop([steps, fc.array(betweenAccounts(), { maxLength: 20 })], SEEDED)(
    'moving money between accounts neither clears any of it nor makes any of it wait longer',
    (list, moves) => {
      const books = new Books();
      for (const step of list) run(books, step);
      const before = books.uncleared();
      for (const move of moves) books.post(move);
      expect(books.uncleared()).toEqual(before);
    },
  );

  property.prop([steps, place, amount, draw], SEEDED)('a debit takes the kind of money that it names', (list, from, x, how) => {
    const books = new Books();
    for (const step of list) run(books, step);
    const account = books.at(from);
    Object.assign(account, { state: 'open' });
    const uncleared = unclearedOf(account);
    const { balance } = account;
    const [available, withdrawable] = [availableOf(account), withdrawableOf(account)];
    const result = books.post({
      postings: [
        { account: account.id, amount: -x, ...(how === undefined ? {} : { draw: how }) },
        { account: CUSTODY, amount: x },
      ],
    });
    if (x > available) expect(result).toBe('FUNDS_INSUFFICIENT');
    else if (how === 'cleared-only' && x > withdrawable) expect(result).toBe('FUNDS_UNCLEARED');
    else {
      expect(result).toBe('posted');
      const least = uncleared < balance - x ? uncleared : balance - x;
      const most = uncleared > x ? uncleared - x : 0n;
      expect(unclearedOf(account)).toBe(how === 'uncleared-first' ? most : how === 'cleared-only' ? uncleared : least);
    }
  });
});

describe('uncleared money', () => {
  it('goes latest first, so that what clears soonest stays with its owner', () => {
    const books = new Books();
    for (const [due, x] of [
      [DUES[0], 10n],
      [DUES[2], 30n],
      [DUES[1], 20n],
    ] as const) {
      books.post({
        postings: [
          { account: CUSTODY, amount: -x },
          { account: OTHERS[0] as Id, amount: x, clears: due as BusinessDate },
        ],
      });
    }
    const [from, to] = [OTHERS[0] as Id, OTHERS[1] as Id];
    books.post({
      postings: [
        { account: from, amount: -35n },
        { account: to, amount: 35n, clears: 'inherit' },
      ],
    });
    expect(books.at(0).uncleared).toEqual([
      { due: DUES[0], amount: 10n },
      { due: DUES[1], amount: 15n },
    ]);
    expect(books.at(1).uncleared).toEqual([
      { due: DUES[1], amount: 5n },
      { due: DUES[2], amount: 30n },
    ]);
  });

  it('is never more than the credit that inherits it, when several share what was debited', () => {
    const books = new Books();
    books.post({
      postings: [
        { account: CUSTODY, amount: -50n },
        { account: OTHERS[0] as Id, amount: 50n, clears: DUES[0] as BusinessDate },
      ],
    });
    const [a, b, c] = OTHERS as [Id, Id, Id];
    const movement: Movement = {
      postings: [
        { account: a, amount: -50n },
        { account: b, amount: 20n, clears: 'inherit' },
        { account: c, amount: 30n, clears: 'inherit' },
      ],
    };
    expect(books.post(movement)).toBe('posted');
    expect([unclearedOf(books.at(0)), unclearedOf(books.at(1)), unclearedOf(books.at(2))]).toEqual([0n, 20n, 30n]);
  });
});

describe('what may leave the bank', () => {
  it.each([
    [100n, 0n, 0n, 100n],
    [100n, 30n, 0n, 70n],
    [100n, 0n, 30n, 70n],
    [100n, 30n, 20n, 70n],
    [100n, 20n, 30n, 70n],
    [100n, 100n, 100n, 0n],
  ])('of %s, with %s held and %s not cleared: %s', (balance, held, uncleared, withdrawable) => {
    const slices = uncleared === 0n ? [] : [{ due: DUES[0] as BusinessDate, amount: uncleared }];
    expect(withdrawableOf({ balance, held, claimed: 0n, uncleared: slices })).toBe(withdrawable);
    expect(availableOf({ balance, held, claimed: 0n })).toBe(balance - held);
    // What is claimed keeps as much as a hold would, as far as it is there, and takes nothing from holds.
    for (const claimed of [1n, balance - held, balance - held + 1n, BALANCE_MAX]) {
      const there = claimed < balance - held ? claimed : balance - held;
      expect(reservedOf({ balance, held, claimed })).toBe(held + there);
      expect(availableOf({ balance, held, claimed })).toBe(balance - held - there);
    }
  });
});

describe('what is claimed', () => {
  const [owner, court] = [OTHERS[0] as Id, OTHERS[1] as Id];
  const paidIn = (amount: bigint): Movement => ({
    postings: [
      { account: CUSTODY, amount: -amount },
      { account: owner, amount },
    ],
  });
  const taken = (amount: bigint, claim?: 'court' | 'dispute'): Movement => ({
    postings: [
      { account: owner, amount: -amount, draw: 'cleared-only', ...(claim === undefined ? {} : { claim }) },
      { account: court, amount },
    ],
  });

  it('takes what is free, and what comes in later until it has enough', () => {
    const books = new Books();
    books.post(paidIn(100n));
    books.post({ postings: [], holds: [{ account: owner, amount: 30n }] });
    books.post({ postings: [], claims: [{ account: owner, amount: 90n }] });
    expect([reservedOf(books.at(0)), availableOf(books.at(0))]).toEqual([100n, 0n]);
    books.post(paidIn(15n));
    expect(availableOf(books.at(0))).toBe(0n);
    books.post(paidIn(15n));
    expect(availableOf(books.at(0))).toBe(10n);
    books.post({ postings: [], holds: [{ account: owner, amount: -30n }] });
    expect(availableOf(books.at(0))).toBe(40n);
  });

  it('leaves what was held before to its purpose, and takes what of it becomes free', () => {
    const books = new Books();
    books.post(paidIn(100n));
    books.post({ postings: [], holds: [{ account: owner, amount: 60n }] });
    books.post({ postings: [], claims: [{ account: owner, amount: BALANCE_MAX }] });
    const captured: Movement = { ...taken(25n), holds: [{ account: owner, amount: -25n }] };
    expect(books.post({ ...captured, postings: captured.postings.map(({ draw: _, ...rest }) => rest) })).toBe('posted');
    expect([books.at(0).balance, books.at(0).held]).toEqual([75n, 35n]);
    expect(books.post({ ...taken(36n), holds: [{ account: owner, amount: -35n }] })).toBe('FUNDS_INSUFFICIENT');
    books.post({ postings: [], holds: [{ account: owner, amount: -35n }] });
    expect([reservedOf(books.at(0)), availableOf(books.at(0))]).toEqual([75n, 0n]);
  });

  it('is taken by nobody but who claims it, and then it is claimed no more', () => {
    const books = new Books();
    books.post(paidIn(100n));
    books.post({ postings: [], claims: [{ account: owner, amount: 150n }] });
    expect(books.post(taken(1n))).toBe('FUNDS_INSUFFICIENT');
    expect(books.post({ postings: [], holds: [{ account: owner, amount: 1n }] })).toBe('FUNDS_INSUFFICIENT');
    expect(books.post(taken(101n, 'court'))).toBe('FUNDS_INSUFFICIENT');
    expect(books.post(taken(60n, 'court'))).toBe('posted');
    expect([books.at(0).claimed, books.at(0).balance, availableOf(books.at(0))]).toEqual([90n, 40n, 0n]);
  });

  it('leaves a frozen account for a court alone, a closed one not at all, and not before it has cleared', () => {
    const books = new Books();
    books.post(paidIn(50n));
    books.post({
      postings: [
        { account: CUSTODY, amount: -50n },
        { account: owner, amount: 50n, clears: DUES[1] as BusinessDate },
      ],
    });
    books.post({ postings: [], claims: [{ account: owner, amount: 100n }] });
    Object.assign(books.at(0), { state: 'frozen' });
    expect(books.post(taken(10n, 'dispute'))).toBe('ACCOUNT_FROZEN');
    expect(books.post(taken(51n, 'court'))).toBe('FUNDS_UNCLEARED');
    expect(books.post(taken(50n, 'court'))).toBe('posted');
    Object.assign(books.at(0), { state: 'closed' });
    expect(books.post(taken(1n, 'court'))).toBe('ACCOUNT_CLOSED');
    expect(books.post({ postings: [], claims: [{ account: owner, amount: 1n }] })).toBe('ACCOUNT_CLOSED');
  });
});

describe('the limits of the books', () => {
  it('the custody account keeps up to 2^62 and refuses one fen more', () => {
    const books = new Books();
    const pay = (x: bigint) =>
      books.post({
        postings: [
          { account: CUSTODY, amount: -x },
          { account: OTHERS[0] as Id, amount: x },
        ],
      });
    expect(pay(BALANCE_MAX)).toBe('posted');
    const before = books.snapshot();
    expect(pay(1n)).toBe('BALANCE_OVERFLOW');
    expect(books.snapshot()).toBe(before);
  });

  it.each<[string, Movement]>([
    [
      'postings that do not sum to zero',
      {
        postings: [
          { account: CUSTODY, amount: -10n },
          { account: OTHERS[0] as Id, amount: 9n },
        ],
      },
    ],
    [
      'an account that stands twice',
      {
        postings: [
          { account: CUSTODY, amount: -10n },
          { account: OTHERS[0] as Id, amount: 5n },
          { account: OTHERS[0] as Id, amount: 5n },
        ],
      },
    ],
    ['a posting of nothing', { postings: [{ account: OTHERS[0] as Id, amount: 0n }] }],
    [
      'custody overdrawn',
      {
        postings: [
          { account: CUSTODY, amount: 0n + 5n },
          { account: OTHERS[0] as Id, amount: -5n },
        ],
      },
    ],
  ])('%s is never posted', (_name, movement) => {
    const books = new Books();
    if (movement.postings.some(({ account, amount: x }) => account !== CUSTODY && x < 0n)) {
      Object.assign(books.at(0), { balance: 5n }); // money that never came in
    }
    expect(() => books.post(movement)).toThrow(/invariant broken/);
  });
});

describe('the hash of an entry', () => {
  const entry = {
    account: asId('2236512894231552003'),
    seq: 7,
    instruction: asId('2236512894231552011'),
    amount: -12_345n,
    balance: 1_000_000n,
    businessDate: '2026-03-02' as BusinessDate,
    postedMs: 1_772_413_200_123 as Instant,
  };

  it('is SHA-256 over the previous hash and the fields in their written order', () => {
    const bytes = Buffer.alloc(84);
    Buffer.alloc(32, 7).copy(bytes, 0);
    bytes.writeBigUInt64BE(2236512894231552003n, 32);
    bytes.writeBigUInt64BE(7n, 40);
    bytes.writeBigUInt64BE(2236512894231552011n, 48);
    bytes.writeBigInt64BE(-12_345n, 56);
    bytes.writeBigInt64BE(1_000_000n, 64);
    bytes.writeUInt32BE(20_260_302, 72);
    bytes.writeBigUInt64BE(1_772_413_200_123n, 76);
    expect(chainHash(Buffer.alloc(32, 7), entry)).toEqual(createHash('sha256').update(bytes).digest());
  });

  it.each<[string, Partial<typeof entry>]>([
    ['account', { account: asId('2236512894231552004') }],
    ['place', { seq: 8 }],
    ['instruction', { instruction: asId('2236512894231552012') }],
    ['amount', { amount: 12_345n }],
    ['balance', { balance: 1_000_001n }],
    ['business date', { businessDate: '2026-03-03' as BusinessDate }],
    ['time', { postedMs: 1_772_413_200_124 as Instant }],
  ])('changes with the %s', (_field, other) => {
    expect(chainHash(GENESIS_HASH, { ...entry, ...other }).equals(chainHash(GENESIS_HASH, entry))).toBe(false);
  });
});
