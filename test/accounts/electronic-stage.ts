import {
  accountAdminRoutes,
  accountChangeRoutes,
  changeAnswered,
  electronicAdminRoutes,
  electronicRoutes,
  parameterRoutes,
  verifyChanges,
  verifyOpenings,
} from '../../src/accounts/index.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { askConsent } from '../../src/consents/index.js';
import { type Id, luhnDigit, toWire } from '../../src/kernel/index.js';
import { insertUsers } from '../../src/parties/users/records.js';
import type { Database, Runtime, Tx } from '../../src/runtime/index.js';
import { type ConsentStage, openStage, PASSWORD, type TestCustomer } from '../consents/stage.js';
import { openBook, type TestBook } from './books.js';

/** What the bank of a card answers. */
export interface CardAt {
  readonly class?: '1' | '2' | '3' | 'credit' | 'payment';
  readonly standing?: 'usable' | 'frozen' | 'none';
  /** The mobile that this bank keeps, where it is not the customer's. */
  readonly mobile?: string;
}

export interface ElectronicStage extends ConsentStage {
  readonly book: TestBook;
  /** A platform on another shard. */
  readonly other: TestBook;
  /** A platform of the profile `lending`. */
  readonly lending: TestBook;
  readonly channels: Channels;
  readonly token: string;
  staff(): Promise<{ id: Id; token: string }>;
  /** A customer with a trade password whose identity and cards the simulated banks know. */
  person(cards?: readonly (CardAt & { account: string })[]): Promise<TestCustomer>;
  /** The same customer as a user of another platform. */
  userAt(book: TestBook, customer: TestCustomer): Promise<string>;
  asked(customer: TestCustomer, more?: Record<string, unknown>): Record<string, unknown> & { openingNo: string };
  /** Asks for an opening and lets the worker run; the answer of the status address. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  open(customer: TestCustomer, more?: Record<string, unknown>, by?: TestBook): Promise<any>;
  /** One run of the worker on a platform's shard. */
  work(book?: TestBook, rt?: Runtime): Promise<void>;
  shardOf(book: TestBook): Promise<number>;
  // biome-ignore lint/suspicious/noExplicitAny: rows of a test
  rows(statement: string): Promise<any[]>;
}

let numbers = 0;
/** A card number that no other test has. */
export function newCard(): string {
  numbers += 1;
  const digits = `622202${String(numbers).padStart(12, '0')}`;
  return digits + luhnDigit(digits);
}
export const BANK = '102100099996';

/** The API of electronic accounts with its pages, three platforms, the banks of the cards, and a worker that the test runs by hand. */
export async function openElectronicStage(): Promise<ElectronicStage> {
  let token = '';
  const books: TestBook[] = [];
  const stage = await openStage({
    routes: (rt) => [
      ...accountAdminRoutes(rt),
      ...electronicRoutes(rt),
      ...accountChangeRoutes(rt, (tx, question) => askConsent(tx, rt, question)),
      ...electronicAdminRoutes(rt),
      ...parameterRoutes(rt),
    ],
    handlers: (rt) => ({ card: changeAnswered(rt), mobile: changeAnswered(rt) }),
    async platform(api) {
      ({ token } = await api.operator('administrator'));
      const openDate = '2037-03-02';
      for (const profile of ['marketplace', 'marketplace', 'lending'])
        books.push(await openBook(api, token, { openDate, profile }));
      return books[0] as TestBook;
    },
  });
  const { api, bank } = stage;
  const rt = api.runtime;
  const channels = openChannels({ bankUrl: bank.url, timeoutMs: 2_000 });
  const [book, other, lending] = books as [TestBook, TestBook, TestBook];
  const shardOf = async (of: TestBook) =>
    Number((await rows(`SELECT shard_id FROM books WHERE platform_id = ${of.id}`))[0]?.shard_id);
  const rows = (statement: string) => rt.db.read('rows', (tx) => tx.rows<Record<string, unknown>>(statement));
  const work = async (of = book, as: Runtime = rt) => {
    const shard = await shardOf(of);
    await verifyOpenings(as, channels.verification, shard);
    await verifyChanges(as, channels.verification, shard);
  };
  const asked = (customer: TestCustomer, more: Record<string, unknown> = {}) => {
    numbers += 1;
    const card = { account: newCard(), bankCode: BANK, mobile: customer.mobile };
    return { openingNo: `O-${numbers}`, user: toWire('user', customer.userId), class: 2, card, ...more };
  };
  return {
    ...stage,
    ...{ book, other, lending, channels, token, shardOf, rows, work, asked },
    staff: () => api.operator('operator'),
    async person(cards: readonly (CardAt & { account: string })[] = []) {
      const customer = await stage.customer({ password: PASSWORD });
      if (cards.length > 0) know(stage, customer, cards);
      return customer;
    },
    async userAt(of: TestBook, customer: TestCustomer) {
      const id = rt.newId();
      const nowMs = rt.clock.now();
      await rt.db.withTx('test user', async (tx) => {
        const user = { id, platformId: of.id, userNo: `U-${id}`, customerId: null, state: 'pending' as const, takenOver: false };
        const sealed = {
          particularsSealed: rt.vault.seal(JSON.stringify({ kind: 'person', mobile: customer.mobile })),
          contentHash: Buffer.alloc(32),
          refusal: null,
        };
        await insertUsers(tx, [{ ...user, ...sealed, attempts: 0, nextMs: nowMs, createdMs: nowMs, changedMs: nowMs }]);
        await tx.write("UPDATE users SET state = 'verified', customer_id = ? WHERE id = ?", [customer.id, id]);
      });
      return toWire('user', id);
    },
    async open(customer: TestCustomer, more: Record<string, unknown> = {}, by = book) {
      const headers = { prefer: 'respond-async' };
      const answer = await api.signed(by, 'POST', '/v1/electronic-accounts', asked(customer, more), { headers });
      if (answer.status !== 202) return answer.body;
      await work(by);
      return (await api.signed(by, 'GET', answer.headers.location as string)).body;
    },
    async stop() {
      await channels.close();
      await stage.stop();
    },
  };
}

/** Tells the simulated banks who has which cards. */
export function know(
  { bank }: Pick<ConsentStage, 'bank'>,
  customer: TestCustomer,
  cards: readonly (CardAt & { account: string })[],
): void {
  const accounts = cards.map(({ account, class: of = '1', standing = 'usable', mobile }) => ({
    ...{ account, bankCode: BANK, class: of, standing },
    ...(mobile === undefined ? {} : { mobile }),
  }));
  const idNo = `E${customer.mobile.slice(3)}`;
  const why = bank.bank.people.put([
    { idType: 'passport', idNo, issued: true, name: '王小明', mobile: customer.mobile, accounts },
  ]);
  if (why !== undefined) throw new Error(why);
}

/** A runtime whose process dies at its nth write: that one and every later one fails. `writes` counts them. */
export function dyingAt(rt: Runtime, nth: number): Runtime & { readonly seen: { writes: number } } {
  const seen = { writes: 0 };
  const wrap = (tx: Tx): Tx => ({
    ...tx,
    write(statement, parameters) {
      seen.writes += 1;
      if (seen.writes >= nth) return Promise.reject(new Error('the process died here'));
      return tx.write(statement, parameters);
    },
  });
  const db: Database = { ...rt.db, withTx: (label, work, committed) => rt.db.withTx(label, (tx) => work(wrap(tx)), committed) };
  return { ...rt, db, seen };
}
