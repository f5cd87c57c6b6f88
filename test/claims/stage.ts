import { sweep } from '../../jobs/sweep.job.js';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { disputeRoutes, judicialRoutes } from '../../src/claims/index.js';
import { createDesk, type Desk } from '../../src/dispatch/index.js';
import { explainRoutes } from '../../src/explain/index.js';
import { createIntake, executeShard, findInstructions, kinds, orderDeduction } from '../../src/instructions/index.js';
import { type BusinessDate, canonicalJson, fromWire, type Id, instantOf, startOfDay } from '../../src/kernel/index.js';
import { setTerms } from '../../src/ledger/index.js';
import { refundRoutes } from '../../src/refunds/index.js';
import type { DrivenClock } from '../../src/runtime/index.js';
import { openBook, person, type TestBook } from '../accounts/books.js';
import { startApi, type TestApi } from '../support/api.js';
import { violations } from '../support/invariants.js';

/** The API of claims and explanations over a real database: two platforms, members of the bank's staff, and a shard that the test executes. */
export interface ClaimsStage {
  readonly api: TestApi;
  readonly clock: DrivenClock;
  readonly desk: Desk;
  readonly book: TestBook;
  readonly other: TestBook;
  /** Two who may enter what authorities order, one who only reads, and one who moves no money. */
  readonly anne: string;
  readonly bert: string;
  readonly auditor: string;
  readonly administrator: string;
  seller(of?: TestBook): Promise<string>;
  /** Hands an instruction in; it is not decided yet. Answers its id. */
  receive(kind: string, data: unknown, origin?: 'P' | 'O'): Promise<Id>;
  /** Decides all that came in; answers what became of these. */
  decide(ids: readonly Id[]): Promise<Told[]>;
  give(kind: string, data: unknown, origin?: 'P' | 'O'): Promise<Told>;
  /** A seller who got so many fen out of an order, which have cleared. */
  sellerWith(amount: number): Promise<string>;
  /** The books' date and the clock move on together. */
  goTo(date: string): Promise<void>;
  /** The clock alone. */
  later(ms: number): void;
  sweep(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  staff(token: string, path: string, body?: unknown): any;
  read(path: string, token?: string): ReturnType<TestApi['call']>;
  violations(): Promise<string[]>;
  stop(): Promise<void>;
}

/** What became of an instruction: `posted` or the code of the refusal, and what it told. */
export interface Told {
  readonly id: Id;
  readonly code: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a kind tells
  readonly result: any;
}

/** Later than any machine's clock, which a driven clock begins with: it only goes forward. A Monday. */
export const TODAY = '2037-03-02';
export const DAY = 86_400_000;
const TEN_HOURS = 36_000_000;

export const PAYER = { name: '张三', account: '622202000000000007', bankCode: '102100099996' };
export const COURT = { name: '某市人民法院', account: '6222020000000000078', bankCode: '' };
export const cny = (amount: number) => ({ amount, currency: 'CNY' });

let numbers = 0;
export const next = (prefix: string) => {
  numbers += 1;
  return `${prefix}-${numbers}`;
};

export async function openClaims(): Promise<ClaimsStage> {
  const api = await startApi(
    (rt) => [
      ...accountRoutes(rt),
      ...accountAdminRoutes(rt),
      ...disputeRoutes(rt),
      ...judicialRoutes(rt, orderDeduction(rt)),
      ...refundRoutes(rt),
      ...explainRoutes(rt),
    ],
    { CLOCK: 'driven' },
  );
  const { runtime } = api;
  const clock = runtime.drivenClock as DrivenClock;
  const clockTo = (date: string) => clock.advance(instantOf(startOfDay(date as BusinessDate) + TEN_HOURS));
  clockTo(TODAY);
  const tokens = async (...roles: Parameters<TestApi['operator']>) => (await api.operator(...roles)).token;
  const administrator = await tokens('administrator');
  const book = await openBook(api, administrator, { openDate: TODAY });
  const other = await openBook(api, administrator, { openDate: TODAY });
  await runtime.db.withTx('terms', (tx) => setTerms(tx, book.id, { transferMax: 1_000_000n, feeMax: 0n }));
  const channels: Channels = openChannels({ bankUrl: runtime.config.BANK_URL });
  const parts = { api, clock, book, other, desk: createDesk(runtime, channels), shardId: await shardOf(api, book.id) };
  return {
    ...parts,
    ...{ administrator, anne: await tokens('operator'), bert: await tokens('reviewer'), auditor: await tokens('auditor') },
    ...instructing(parts),
    ...requesting(parts),
    async goTo(date) {
      clockTo(date);
      await runtime.db.withTx('date', (tx) =>
        tx.write('UPDATE books SET business_date = ? WHERE platform_id = ?', [date, book.id]),
      );
    },
    later: (ms) => void clock.advance(instantOf(clock.now() + ms)),
    sweep: () => sweep(parts.desk),
    async stop() {
      await channels.close();
      await api.stop();
    },
  };
}

type Parts = Pick<ClaimsStage, 'api' | 'book' | 'desk'> & { readonly shardId: number };

async function shardOf({ runtime }: TestApi, platformId: Id): Promise<number> {
  const [row] = await runtime.db.read('shard', (tx) =>
    tx.rows<{ shard_id: number }>('SELECT shard_id FROM books WHERE platform_id = ?', [platformId]),
  );
  return (row as { shard_id: number }).shard_id;
}

function instructing({ api: { runtime }, book, shardId }: Parts) {
  const intake = createIntake(runtime);
  const receive: ClaimsStage['receive'] = async (kind, data, origin = 'P') => {
    kinds.get(kind)?.schema.parse(data);
    const body = canonicalJson(data);
    const [receipt] = await intake.receive([
      { platformId: book.id, origin, requestNo: next('R'), kind, body, actor: 'test', act: undefined },
    ]);
    if (receipt === undefined || !('id' in receipt)) throw new Error(`not received: ${JSON.stringify(receipt)}`);
    return receipt.id;
  };
  const decide: ClaimsStage['decide'] = async (ids) => {
    await executeShard(runtime, shardId);
    const views = await runtime.db.read('outcomes', (tx) => findInstructions(tx, ids));
    return ids.map((id) => {
      const outcome = views.get(id)?.outcome;
      return { id, code: outcome?.code ?? outcome?.state ?? 'undecided', result: outcome?.detail };
    });
  };
  const give: ClaimsStage['give'] = async (...asked) => (await decide([await receive(...asked)]))[0] as Told;
  return { receive, decide, give };
}

function requesting({ api, book, ...parts }: Parts) {
  const { give } = instructing({ api, book, ...parts });
  const seller: ClaimsStage['seller'] = async (of = book) => {
    numbers += 1;
    const { body } = await api.signed(of, 'POST', '/v1/sub-merchants', person(numbers)).expect(201);
    return body.account;
  };
  return {
    seller,
    async sellerWith(amount: number) {
      const account = await seller();
      const orderNo = next('SO');
      await give('payment', { orderNo, amount: cny(amount), payer: PAYER, reference: next('COL') });
      await give('split', { orderNo, lines: [{ account, amount: cny(amount) }] });
      // As if it had come in on an earlier day.
      await api.runtime.db.withTx('cleared', async (tx) => {
        await tx.write('DELETE FROM uncleared WHERE account_id = ?', [fromWire(account)]);
        await tx.write('UPDATE accounts SET uncleared_until = NULL WHERE id = ?', [fromWire(account)]);
      });
      return account;
    },
    staff: (token: string, path: string, body?: unknown) => api.call('POST', `/admin/v1/${path}`, { token, body }),
    read: (path: string, token?: string) =>
      token === undefined ? api.signed(book, 'GET', `/v1/${path}`) : api.call('GET', `/admin/v1/${path}`, { token }),
    violations: () => violations(api.runtime.db),
  };
}

/** A freeze of an account by its wire id; answers the body of 201. */
export async function frozen({ staff, anne }: ClaimsStage, account: string, more: Record<string, unknown> = {}) {
  const { body } = await staff(anne, `accounts/${account}/judicial-freezes`, order(more)).expect(201);
  return body;
}

/** What a court orders, each under a number of its own. */
export function order(more: Record<string, unknown> = {}): Record<string, unknown> {
  const documentNo = `（2037）执${next('')}号`;
  return { ...{ authority: COURT.name, documentNo, amount: cny(3_000), from: TODAY, until: '2037-06-01' }, ...more };
}
