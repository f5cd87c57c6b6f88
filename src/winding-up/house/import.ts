import { createHash, type KeyObject } from 'node:crypto';
import { checkSubMerchant, isOpening, openSubMerchants, subMerchantRequest } from '../../accounts/index.js';
import { type Desk, decideNow } from '../../dispatch/index.js';
import { findInstructions, type Submission } from '../../instructions/index.js';
import {
  canonicalJson,
  type Id,
  invariant,
  naturalDate,
  type PublicKeys,
  parseInstant,
  shapeFault,
  signatureFault,
  signContent,
  toWire,
} from '../../kernel/index.js';
import { type Book, loadBook } from '../../ledger/index.js';
import { isRegistration, type Particulars, registerUsers } from '../../parties/index.js';
import { isDuplicateKey, type Runtime } from '../../runtime/index.js';
import {
  FILES,
  type FileName,
  LINES,
  type LineOf,
  type Manifest,
  manifestSchema,
  movedBy,
  TAKEOVER_VERSION,
  type Takeover,
  type TakeoverContent,
} from './form.js';
import { holdInside, memberInside, orderInside, userInside } from './inside.js';
import { openerOf, textOfKey } from './seal.js';
import { accountsByMerchant, findTakeover, holdsTaken, insertTakeover, isEmpty } from './store.js';

/** Something is wrong with an export, or with where it shall go; told in plain words, and nothing was taken of it. */
export class ExportWrong extends Error {}

/** The bytes of a file of the export, from its beginning each time it is asked. */
export type Source = (file: FileName) => AsyncIterable<Buffer | string>;

export interface Taking {
  readonly platformId: Id;
  readonly manifest: unknown;
  readonly source: Source;
  /** The public keys of the bank that made the export. */
  readonly keys: PublicKeys;
  /** The own private key for which it was sealed (X25519). */
  readonly key: KeyObject;
  /** Under which the one transfer stands on the custody account's statement. */
  readonly reference: string;
}

const PAGE = 200;

/**
 * Takes over the members of an export into an empty platform: everything is checked before anything is written, and what is written has numbers of
 * the export's own, so that it may be run again after a crash until it ends. Balances come in as parts of one transfer. What needs the
 * customer's own will is not taken over: users activate themselves, electronic accounts are opened anew, and until then their money waits on suspense.
 * @returns the receiving bank's signed word for it
 * @throws ExportWrong
 */
export async function importHouse(desk: Desk, of: Taking): Promise<Takeover> {
  const { rt } = desk;
  const taken = await checkExport(rt, of);
  const book = await begin(rt, of, taken.manifest);
  await new Import(desk, book, of, taken).all();
  const now = await rt.db.read('taken-over', (tx) => loadBook(tx, of.platformId));
  const content = await new Receipt(desk, now, of, taken).content();
  return signContent(TAKEOVER_VERSION, content, rt.receiptKeys);
}

interface Checked {
  readonly manifest: Manifest;
  readonly open: ReturnType<typeof openerOf>;
}

/** Signature, shape, counts, sums and digests of everything, and every sealed word: before that nothing of it is believed. */
async function checkExport(rt: Pick<Runtime, 'clock'>, { manifest: given, source, keys, key }: Taking): Promise<Checked> {
  const parsed = manifestSchema.safeParse(given);
  if (!parsed.success) throw new ExportWrong(`the manifest: ${shapeFault(parsed.error, 'manifest of an export')}`);
  const manifest = parsed.data;
  const fault = signatureFault(manifest, keys);
  if (fault !== undefined) throw new ExportWrong(`the manifest: ${fault}`);
  const { receiver, ephemeral, files, total } = manifest.content;
  if (textOfKey(key) !== receiver) throw new ExportWrong('it is sealed for another custodian');
  const open = openerOf(key, ephemeral);
  if (canonicalJson(files.map(({ name }) => name)) !== canonicalJson(FILES))
    throw new ExportWrong('the manifest does not name every file once');
  for (const file of files) {
    const checking = { lines: 0, sum: 0, hash: createHash('sha256') };
    for await (const line of linesOf(file.name, source, checking)) {
      checking.sum += movedBy(file.name, line);
      const inside = insideOf(file.name, line, checking.lines, open);
      if (file.name === 'members') checkMember(rt, line as LineOf<'members'>, inside as Member);
      checking.lines += 1;
    }
    const digest = checking.hash.digest('hex');
    const { lines, sum } = checking;
    if (lines !== file.lines || sum !== file.sum || digest !== file.digest)
      throw new ExportWrong(`${file.name}: it is not the file that was signed`);
  }
  if (files.reduce((all, { sum }) => all + sum, 0) !== total) throw new ExportWrong('the sums of the files are not the total');
  return { manifest, open };
}

const LINE_MAX = 1_000_000;

/** The lines of a file, each of its shape; what goes by is hashed as it stands. */
async function* linesOf<Name extends FileName>(
  name: Name,
  source: Source,
  { hash }: { hash: ReturnType<typeof createHash> },
): AsyncGenerator<LineOf<Name>> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source(name)) {
    const bytes = Buffer.from(chunk);
    hash.update(bytes);
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield lineOf(name, rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LINE_MAX) throw new ExportWrong(`${name}: a line is longer than any of an export`);
  }
  if (rest.length > 0) throw new ExportWrong(`${name}: its last line is cut off`);
}

function lineOf<Name extends FileName>(name: Name, bytes: Buffer): LineOf<Name> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ExportWrong(`${name}: a line is not whole`);
  }
  const parsed = LINES[name].safeParse(value);
  if (!parsed.success) throw new ExportWrong(`${name}: ${shapeFault(parsed.error, 'line of this file')}`);
  return parsed.data as LineOf<Name>;
}

const INSIDE = { members: memberInside, users: userInside, orders: orderInside, holds: holdInside } as const;
type Member = ReturnType<(typeof INSIDE)['members']['parse']>;
type UserInside = ReturnType<(typeof INSIDE)['users']['parse']>;
type OrderInside = ReturnType<(typeof INSIDE)['orders']['parse']>;
type HoldInside = ReturnType<(typeof INSIDE)['holds']['parse']>;

function insideOf(file: FileName, line: object, place: number, open: Checked['open']): unknown {
  if (!('sealed' in line)) return undefined;
  let value: unknown;
  try {
    value = open({ file, line: place }, String(line.sealed));
  } catch {
    throw new ExportWrong(`${file}: line ${place + 1} cannot be opened with this key`);
  }
  const parsed = INSIDE[file as keyof typeof INSIDE].safeParse(value);
  if (!parsed.success) throw new ExportWrong(`${file}: line ${place + 1}: ${shapeFault(parsed.error, 'sealed part')}`);
  return parsed.data;
}

/** The request by which he would be opened here. Whoever was paid on the day itself has to earn that anew: here he is a newcomer. */
function openingOf({ merchantNo, cycle, cycleDays, payDay }: LineOf<'members'>, inside: Member) {
  const days = { ...(cycleDays === null ? {} : { cycleDays }), ...(payDay === null ? {} : { payDay }) };
  return { merchantNo, cycle: cycle === 't+0' || cycle === 'd+0' ? 't+1' : cycle, ...days, ...inside };
}

/** What the bank would not open for anybody else it does not take over either. */
function checkMember({ clock }: Pick<Runtime, 'clock'>, line: LineOf<'members'>, inside: Member): void {
  const { merchantNo } = line;
  const parsed = subMerchantRequest.safeParse(openingOf(line, inside));
  const fault = parsed.success
    ? checkSubMerchant(parsed.data, naturalDate(clock.now()), 0).faults[0]?.code
    : shapeFault(parsed.error, 'sub-merchant');
  if (fault !== undefined) throw new ExportWrong(`members: ${merchantNo} cannot be opened here: ${fault}`);
}

/** Takes the place for this export in the platform, once. @throws ExportWrong when the platform is not empty, or took over another one */
async function begin(rt: Runtime, { platformId, reference }: Taking, { hash }: Manifest): Promise<Book> {
  const wanted = { exportHash: hash, reference };
  const work = async () =>
    rt.db.withTx(
      'begin-takeover',
      async (tx) => {
        const book = await loadBook(tx, platformId);
        if (book.terms.agreements === 'required')
          throw new ExportWrong('the platform takes orders by agreements alone; open it without until the import is done');
        const before = await findTakeover(tx, platformId);
        if (before !== undefined && canonicalJson(before) !== canonicalJson(wanted))
          throw new ExportWrong('the platform took over another export, or this one under another reference');
        if (before === undefined) {
          if (!(await isEmpty(tx, platformId))) throw new ExportWrong('the platform is not empty');
          await insertTakeover(tx, platformId, wanted, rt.clock.now());
        }
        return book;
      },
      async () => undefined,
    );
  return work().catch((error: unknown) => {
    if (isDuplicateKey(error)) return work(); // a twin began it
    throw error;
  });
}

/** Walks an export's lines a page at a time, opened. */
abstract class Walk {
  protected readonly desk: Desk;
  protected readonly book: Book;
  protected readonly of: Taking;
  protected readonly taken: Checked;

  constructor(desk: Desk, book: Book, of: Taking, taken: Checked) {
    this.desk = desk;
    this.book = book;
    this.of = of;
    this.taken = taken;
  }

  protected async pages<Name extends FileName>(
    name: Name,
    each: (page: readonly { line: LineOf<Name>; inside: unknown }[]) => Promise<void>,
  ): Promise<void> {
    let page: { line: LineOf<Name>; inside: unknown }[] = [];
    let place = 0;
    for await (const line of linesOf(name, this.of.source, { hash: createHash('sha256') })) {
      page.push({ line, inside: insideOf(name, line, place, this.taken.open) });
      place += 1;
      if (page.length < PAGE) continue;
      await each(page);
      page = [];
    }
    if (page.length > 0) await each(page);
  }
}

interface Given {
  readonly requestNo: string;
  readonly kind: string;
  readonly data: unknown;
  /** What the bank's staff would give otherwise; `take-over` is the system's own. */
  readonly origin?: Submission['origin'];
}

class Import extends Walk {
  async all(): Promise<void> {
    await this.#members();
    await this.#users();
    await this.#orders();
    await this.#platform();
    await this.#holds();
  }

  /** @throws when one of them is refused: then it is run again after what is in the way was put right */
  async #give(given: readonly Given[]): Promise<void> {
    const { platformId, shardId } = this.book;
    const receipts = await decideNow(
      this.desk,
      given.map(({ requestNo, kind, data, origin = 'S' }) => ({
        shardId,
        submission: { platformId, origin, requestNo, kind, body: canonicalJson(data), actor: 'takeover' },
      })),
    );
    const ids = receipts.flatMap((receipt) => ('id' in receipt ? [receipt.id] : []));
    invariant(ids.length === given.length, 'an instruction of a takeover means the same under its number each time');
    const views = await this.desk.rt.db.read('takeover-outcomes', (tx) => findInstructions(tx, ids));
    for (const [place, id] of ids.entries()) {
      const outcome = views.get(id)?.outcome;
      if (outcome?.state !== 'posted')
        throw new ExportWrong(
          `${given[place]?.kind} ${given[place]?.requestNo}: ${outcome?.code ?? 'not decided yet'}; run it again when that is put right`,
        );
    }
  }

  #part(account: Id, amount: number) {
    return { account: toWire('account', account), amount: money(amount), reference: this.of.reference };
  }

  async #members(): Promise<void> {
    const { platformId } = this.book;
    await this.pages('members', async (page) => {
      const asked = page.map(({ line, inside }) => subMerchantRequest.parse(openingOf(line, inside as Member)));
      const opened = await openSubMerchants(this.desk.rt, platformId, asked);
      const accounts = opened.map((each) => {
        if (!isOpening(each)) throw new ExportWrong(`members: not opened: ${each.code}`);
        return each.merchant.accountId;
      });
      const due = page.flatMap(({ line }, place): Given[] => {
        const account = accounts[place] as Id;
        const amount = line.balance + line.margin;
        const whole = { requestNo: `takeover:sub:${account}`, kind: 'take-over', data: this.#part(account, amount) };
        const margin = { account: toWire('account', account), amount: money(line.margin) };
        return [
          ...(amount > 0 ? [whole] : []),
          ...(line.margin > 0
            ? [{ requestNo: `takeover:margin:${account}`, kind: 'margin-deposit', data: margin, origin: 'O' as const }]
            : []),
        ];
      });
      await this.#give(due);
    });
  }

  async #users(): Promise<void> {
    const { platformId } = this.book;
    await this.pages('users', async (page) => {
      const asked = page.map(({ line, inside }) => ({
        userNo: line.userNo,
        party: (inside as UserInside).party as unknown as Particulars,
      }));
      await registerUsers(this.desk.rt, platformId, asked, { takenOver: true });
      const due = page.flatMap(({ line, inside }) =>
        line.accounts.flatMap(({ balance, class: of }, place): Given[] => {
          const { party, cards } = inside as UserInside;
          const payer = cards[place] ?? { name: party.name, account: '', bankCode: '' };
          const told = `迁入 ${line.userNo} Ⅱ/Ⅲ类户 ${of}`;
          const data = { amount: money(balance), payer, reference: this.of.reference, told };
          return balance === 0
            ? []
            : [{ requestNo: `takeover:user:${place}:${hashOf(line.userNo)}`, kind: 'suspense-credit', data }];
        }),
      );
      await this.#give(due);
    });
  }

  async #orders(): Promise<void> {
    await this.pages('orders', (page) =>
      this.#give(
        page.map(({ line: { orderNo, balance }, inside }) => ({
          requestNo: `takeover:order:${hashOf(orderNo)}`,
          kind: 'payment',
          origin: 'O',
          data: { orderNo, amount: money(balance), payer: (inside as OrderInside).payer, reference: this.of.reference },
        })),
      ),
    );
  }

  async #platform(): Promise<void> {
    await this.pages('platform', (page) =>
      this.#give(
        page.map(({ line: { accountType, balance } }) => ({
          requestNo: `takeover:${accountType}`,
          kind: 'take-over',
          data: this.#part(this.book.accounts[accountType], balance),
        })),
      ),
    );
  }

  async #holds(): Promise<void> {
    await this.pages('holds', async (all) => {
      // One that has ended meanwhile holds nothing any more: its money is the member's like the rest.
      const page = all.filter(
        ({ line: { expiresAt } }) => (parseInstant(expiresAt ?? '') ?? Infinity) > this.desk.rt.clock.now(),
      );
      const accounts = await this.desk.rt.db.read('held-accounts', (tx) =>
        accountsByMerchant(
          tx,
          this.book.platformId,
          page.map(({ line }) => line.merchantNo),
        ),
      );
      await this.#give(
        page.map(({ line: { hold, merchantNo, amount, expiresAt }, inside }) => {
          const account = accounts.get(merchantNo);
          if (account === undefined) throw new ExportWrong(`holds: ${merchantNo} is not among the members`);
          const data = { account: toWire('account', account), amount: money(amount), purpose: (inside as HoldInside).purpose };
          return {
            requestNo: `takeover:${hold}`,
            kind: 'hold',
            origin: 'O' as const,
            data: expiresAt === null ? data : { ...data, expiresAt },
          };
        }),
      );
    });
  }
}

/** Counts again, from the export and from what this bank's books and records say. */
class Receipt extends Walk {
  async content(): Promise<TakeoverContent> {
    const { manifest } = this.taken;
    const file = (name: FileName) => manifest.content.files.find((each) => each.name === name) ?? { lines: 0, sum: 0 };
    let accounts = 0;
    const notRegistered: { userNo: string; code: string }[] = [];
    await this.pages('users', async (page) => {
      for (const { line } of page) accounts += line.accounts.length;
      const asked = page.map(({ line, inside }) => ({
        userNo: line.userNo,
        party: (inside as UserInside).party as unknown as Particulars,
      }));
      const again = await registerUsers(this.desk.rt, this.book.platformId, asked, { takenOver: true });
      for (const [place, each] of again.entries())
        if (!isRegistration(each)) notRegistered.push({ userNo: asked[place]?.userNo ?? '', code: each.code });
    });
    const { balance } = await this.desk.rt.db.read('custody-taken-over', async (tx) => {
      const [row] = await tx.rows<{ balance: string }>(
        'SELECT CAST(COALESCE(SUM(amount), 0) AS CHAR) AS balance FROM boundary WHERE platform_id = ? AND reference = ?',
        [this.book.platformId, this.of.reference],
      );
      return { balance: Number(row?.balance ?? 0) };
    });
    invariant(balance === manifest.content.total, `the parts of ${this.of.reference} are the total that is handed over`);
    return {
      type: 'takeover',
      export: manifest.hash,
      platform: toWire('platform', this.book.platformId),
      custodyNo: this.book.custodyNo,
      reference: this.of.reference,
      total: manifest.content.total,
      taken: {
        members: file('members').sum,
        users: file('users').sum,
        orders: file('orders').sum,
        platform: file('platform').sum,
      },
      counts: {
        members: file('members').lines,
        users: file('users').lines - notRegistered.length,
        orders: file('orders').lines,
        holds: await this.desk.rt.db.read('holds-taken-over', (tx) => holdsTaken(tx, this.book.platformId)),
      },
      notRegistered,
      anew: { agreements: file('agreements').lines, mandates: file('mandates').lines, accounts },
    };
  }
}

const money = (amount: number) => ({ amount, currency: 'CNY' });

/** For request numbers: a number of the platform's may be as long as they. */
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 40);
