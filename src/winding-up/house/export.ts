import { createHash } from 'node:crypto';
import { type SettlementAccount, settlementAccountsOf } from '../../accounts/index.js';
import { PARTICIPANT } from '../../channels/index.js';
import {
  addDays,
  asId,
  canonicalJson,
  type Id,
  type Instant,
  invariant,
  type Minor,
  Refused,
  refuse,
  signContent,
  toRfc3339,
  toWire,
  toWireAmount,
} from '../../kernel/index.js';
import { type Book, loadAccounts, loadBook } from '../../ledger/index.js';
import { loadParties } from '../../parties/index.js';
import type { Database, ReceiptKeys, Tx, Vault } from '../../runtime/index.js';
import { requireWindDown } from '../decide.js';
import { movingOf, payersPart, type Standing, verdictOf } from '../rules.js';
import { type Cursor, HELD_TYPES, type RoundNow, roundOf, standingsOf, standingsPage } from '../standings.js';
import { movedOn } from '../store.js';
import { EXPORT_VERSION, FILES, type FileName, type LineOf, type Manifest, type ManifestContent, movedBy } from './form.js';
import { sealerFor } from './seal.js';
import { accountsOfUsers, agreementsPage, holdsPage, mandatesPage, membersPage, usersPage } from './store.js';

const PAGE = 500;
const OWN = ['own-funds', 'commission', 'marketing', 'fees'] as const;
type Own = (typeof OWN)[number];

/** Takes the text of a file, a line at a time with its line feed. */
export type Sink = (file: FileName, text: string) => void;

interface Parts {
  readonly db: Database;
  readonly vault: Vault;
  readonly receiptKeys: ReceiptKeys;
}

/**
 * Everything of a platform's members for the custodian that its wind-down names, read in one snapshot: what is written and what is handed over
 * is the state at the end of the last business date. The wind-down must be settled and nothing have moved since.
 * @throws Refused NOT_FOUND, WIND_DOWN_STATE_CONFLICT
 */
export async function exportHouse(
  { db, vault, receiptKeys }: Parts,
  platformId: Id,
  nowMs: Instant,
  sink: Sink,
): Promise<Manifest> {
  return db.snapshot('export-members', async (tx) => {
    const wind = await requireWindDown(tx, platformId);
    const book = await loadBook(tx, platformId);
    if (wind.state !== 'settled' || wind.movesTo === null || (await movedOn(tx, platformId, book.businessDate)))
      throw new Refused(
        refuse('WIND_DOWN_STATE_CONFLICT', 'Members are exported when the wind-down names their new custodian and is settled.', {
          state: wind.state,
        }),
      );
    const sealer = sealerFor(wind.movesTo);
    const out = new Writer(sink, sealer.seal);
    await new Walk(tx, vault, { book, round: await roundOf(tx, book, wind, nowMs), nowMs, out }).all();
    const ended = out.end();
    const custody = (await loadAccounts(tx, [book.accounts.custody], () => book.businessDate)).get(book.accounts.custody);
    invariant(
      custody?.balance === -BigInt(ended.total) - out.stays,
      `what moves (${ended.total}) and what stays (${out.stays}) are what is in custody (${custody?.balance})`,
    );
    const content: ManifestContent = {
      type: 'export',
      platform: toWire('platform', platformId),
      custodyNo: book.custodyNo,
      asOf: addDays(book.businessDate, -1),
      receiver: wind.movesTo,
      ephemeral: sealer.ephemeral,
      ...ended,
    };
    return signContent(EXPORT_VERSION, content, receiptKeys);
  });
}

type Seal = ReturnType<typeof sealerFor>['seal'];

/** Counts, adds up and hashes what goes by. */
class Writer {
  readonly #files = new Map(FILES.map((name) => [name, { lines: 0, sum: 0, hash: createHash('sha256') }]));
  readonly #sink: Sink;
  readonly #seal: Seal;
  /** What is not handed over, in minor units. */
  stays: Minor = 0n;

  constructor(sink: Sink, seal: Seal) {
    this.#sink = sink;
    this.#seal = seal;
  }

  /** @param inside what is sealed into the line */
  put<Name extends FileName>(name: Name, line: Omit<LineOf<Name>, 'sealed'>, inside?: unknown): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    const whole = (
      inside === undefined ? line : { ...line, sealed: this.#seal({ file: name, line: file.lines }, inside) }
    ) as LineOf<Name>;
    const text = `${canonicalJson(whole)}\n`;
    file.hash.update(text);
    file.lines += 1;
    file.sum += movedBy(name, whole);
    this.#sink(name, text);
  }

  end(): Pick<ManifestContent, 'files' | 'total'> {
    const files = [...this.#files].map(([name, { lines, sum, hash }]) => ({ name, lines, sum, digest: hash.digest('hex') }));
    return { files, total: files.reduce((total, { sum }) => total + sum, 0) };
  }
}

interface Of {
  readonly book: Book;
  readonly round: RoundNow;
  readonly nowMs: Instant;
  readonly out: Writer;
}

class Walk {
  readonly #tx: Tx;
  readonly #vault: Vault;
  readonly #of: Of;

  constructor(tx: Tx, vault: Vault, of: Of) {
    this.#tx = tx;
    this.#vault = vault;
    this.#of = of;
  }

  async all(): Promise<void> {
    await this.#members();
    await this.#users();
    await this.#money();
    await this.#rest();
  }

  /** What moves of each of these accounts. */
  async #moving(ids: readonly Id[]): Promise<Map<Id, Minor>> {
    const { book, round } = this.#of;
    const standings = await standingsOf(this.#tx, this.#vault, { book, round, ids });
    return new Map(standings.map((standing) => [standing.account.id, movingOf(standing, round)]));
  }

  async #pages<Row extends { readonly id: Id }>(
    read: (after: Id) => Promise<Row[]>,
    each: (page: readonly Row[]) => Promise<void>,
  ) {
    for (let after = asId('0'); ; ) {
      const page = await read(after);
      if (page.length > 0) await each(page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.id;
    }
  }

  async #members(): Promise<void> {
    const { book, out } = this.#of;
    await this.#pages(
      (after) => membersPage(this.#tx, book.platformId, after, PAGE),
      async (page) => {
        const ids = page.flatMap(({ accountId, marginId }) => (marginId === null ? [accountId] : [accountId, marginId]));
        const moving = await this.#moving(ids);
        const bound = await settlementAccountsOf(this.#tx, ids);
        const parties = await loadParties(
          this.#tx,
          this.#vault,
          page.map(({ partyId }) => partyId),
        );
        for (const { merchantNo, cycle, cycleDays, payDay, accountId, partyId, marginId } of page) {
          const to = bound.get(accountId);
          const party = parties.get(partyId);
          if (to === undefined || party === undefined) continue; // his money stays, and is told among what stays
          const { kind, name, idNo } = party;
          const more = {
            ...(party.mobile === undefined || party.mobile === null ? {} : { mobile: party.mobile }),
            ...('legalRepresentative' in party && party.legalRepresentative
              ? { legalRepresentative: party.legalRepresentative }
              : {}),
          };
          out.put(
            'members',
            {
              merchantNo,
              ...{ cycle, cycleDays, payDay },
              balance: toWireAmount(moving.get(accountId) ?? 0n),
              margin: toWireAmount((marginId && moving.get(marginId)) || 0n),
            },
            {
              party: { kind, name, idNo, ...more },
              settlementAccount: this.#named(to),
            },
          );
        }
      },
    );
  }

  async #users(): Promise<void> {
    const { book, out } = this.#of;
    await this.#pages(
      (after) => usersPage(this.#tx, book.platformId, after, PAGE),
      async (page) => {
        const accounts = await accountsOfUsers(
          this.#tx,
          page.map(({ id }) => id),
        );
        const ids = [...accounts.values()].flat().map(({ id }) => id);
        const moving = await this.#moving(ids);
        const bound = await settlementAccountsOf(this.#tx, ids);
        for (const { id, userNo, state, particularsSealed } of page) {
          const own = accounts.get(id) ?? [];
          const cards = own.map((account) => {
            const card = bound.get(account.id);
            return card === undefined ? null : this.#named(card);
          });
          const shown = own.map((account) => ({ class: account.class, balance: toWireAmount(moving.get(account.id) ?? 0n) }));
          out.put('users', { userNo, state, accounts: shown }, { party: JSON.parse(this.#vault.open(particularsSealed)), cards });
        }
      },
    );
  }

  /** An account outside with the bank that keeps it: what is this bank's own here is another bank's for whoever reads it. */
  #named({ name, account, bankCode }: SettlementAccount): SettlementAccount {
    const bank = bankCode === '' ? PARTICIPANT : bankCode;
    return { name: this.#vault.read(name), account: this.#vault.read(account), bankCode: bank };
  }

  /** To whom orders that were paid out of electronic accounts go back: those are not taken over, but their cards are outside. */
  async #cardsOfPayers(page: readonly Standing[]): Promise<Map<Id, SettlementAccount>> {
    return settlementAccountsOf(
      this.#tx,
      page.flatMap(({ order }) => order?.payerAccountId ?? []),
    );
  }

  /** Orders with what is their payers', the platform's own with what it added to orders, and whatever stays. */
  async #money(): Promise<void> {
    const { book, round, out } = this.#of;
    const moved = new Map(OWN.map((type) => [type, 0n]));
    const addOwn = (type: Own, amount: Minor) => moved.set(type, (moved.get(type) ?? 0n) + amount);
    for (let cursor: Cursor | undefined, first = true; first || cursor !== undefined; first = false) {
      const from: Cursor | undefined = cursor;
      const { page, next } = await standingsPage(this.#tx, this.#vault, { book, round, types: HELD_TYPES, from });
      const cards = await this.#cardsOfPayers(page);
      for (const standing of page) {
        const { account, order } = standing;
        const moves = movingOf(standing, round);
        const type = OWN.find((each) => each === account.type);
        if (order !== undefined && moves > 0n) {
          const part = payersPart(order, moves);
          const payer = (order.payerAccountId && cards.get(order.payerAccountId)) || order.payer;
          if (part > 0n)
            out.put('orders', { orderNo: order.orderNo, balance: toWireAmount(part) }, { payer: this.#named(payer) });
          addOwn('marketing', moves - part);
        } else if (type !== undefined) addOwn(type, moves);
        if (moves === account.balance) continue;
        out.stays += account.balance - moves;
        const why = verdictOf(standing, round)
          .stays.filter(({ reason }) => reason !== 'moves-house' && reason !== 'held')
          .map(({ reason, amount }) => ({ reason, amount: toWireAmount(amount) }));
        const stays = { account: toWire('account', account.id), accountType: account.type };
        out.put('stays', { ...stays, balance: toWireAmount(account.balance - moves), why });
      }
      cursor = next;
    }
    for (const [accountType, amount] of moved)
      if (amount > 0n) out.put('platform', { accountType, balance: toWireAmount(amount) });
  }

  async #rest(): Promise<void> {
    const { book, nowMs, out } = this.#of;
    const { platformId } = book;
    await this.#pages(
      (after) => holdsPage(this.#tx, platformId, after, PAGE),
      async (page) => {
        for (const { id, merchantNo, left, purpose, expiresMs } of page) {
          const line = { hold: toWire('hold', id), merchantNo, amount: toWireAmount(left) };
          out.put('holds', { ...line, expiresAt: expiresMs === null ? null : toRfc3339(expiresMs) }, { purpose });
        }
      },
    );
    await this.#pages(
      (after) => agreementsPage(this.#tx, platformId, book.businessDate, after, PAGE),
      async (page) => {
        for (const row of page) {
          const { agreement_no: agreementNo, merchant_no: merchantNo, version, terms } = row;
          out.put('agreements', { agreementNo, merchantNo, version, validFrom: row.valid_from, validTo: row.valid_to, terms });
        }
      },
    );
    await this.#pages(
      (after) => mandatesPage(this.#tx, platformId, nowMs, after, PAGE),
      async (page) => {
        for (const { mandate_no: mandateNo, user_no: userNo, kinds, ...row } of page) {
          const expiresAt = toRfc3339(Number(row.expires_ms) as Instant);
          out.put('mandates', {
            ...{ mandateNo, userNo, kinds, expiresAt },
            ...{ paymentCap: Number(row.payment_cap), totalCap: Number(row.total_cap) },
          });
        }
      },
    );
  }
}
