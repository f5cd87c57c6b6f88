import { type Desk, decideNow } from '../../dispatch/index.js';
import { findInstructions } from '../../instructions/index.js';
import {
  asId,
  canonicalJson,
  type Id,
  invariant,
  type Minor,
  type PublicKeys,
  readPublicKeys,
  shapeFault,
  signatureFault,
  toWire,
  toWireAmount,
  toWireMoney,
} from '../../kernel/index.js';
import { type AccountType, loadBook } from '../../ledger/index.js';
import { requireWindDown } from '../decide.js';
import { movingOf } from '../rules.js';
import { type Cursor, HELD_TYPES, roundOf, standingsPage } from '../standings.js';
import { setRounded } from '../store.js';
import { type Manifest, manifestSchema, type Takeover, takeoverSchema } from './form.js';
import { handedOver, holdsPage } from './store.js';

/** Why nothing is handed over, in plain words. */
export class HandOverWrong extends Error {}

export interface HandingOver {
  readonly platformId: Id;
  /** The own export, and what the other bank signed about it. */
  readonly manifest: unknown;
  readonly receipt: unknown;
  /** The public keys of the other bank. */
  readonly keys: PublicKeys;
}

/**
 * Debits what the other bank has signed to have taken over, to the fen, account by account, as parts of the one transfer to it. Holds end
 * here: they were set there. May be run again until it ends.
 * @returns what is handed over in all, in minor units
 * @throws HandOverWrong
 */
export async function handOverHouse(
  desk: Desk,
  { platformId, manifest: own, receipt: given, keys }: HandingOver,
): Promise<Minor> {
  const { rt } = desk;
  const manifest = genuine(
    manifestSchema.safeParse(own),
    readPublicKeys(canonicalJson({ keys: rt.receiptKeys.published })),
    'export',
  );
  const receipt = genuine(takeoverSchema.safeParse(given), keys, 'receipt of a takeover');
  checkPair(platformId, manifest as Manifest, receipt as Takeover);
  const { reference, total } = receipt.content as Takeover['content'];
  const { wind, book } = await rt.db.read('hand-over', async (tx) => ({
    wind: await requireWindDown(tx, platformId),
    book: await loadBook(tx, platformId),
  }));
  if (wind.movesTo !== (manifest as Manifest).content.receiver || (wind.state !== 'settled' && wind.state !== 'winding-up'))
    throw new HandOverWrong('the platform is not wound up to move there');
  const before = await rt.db.read('handed-over', (tx) => handedOver(tx, platformId, reference));
  let moving = 0n;
  await eachAccount(desk, platformId, async (parts) => {
    for (const { amount } of parts) moving += amount;
  });
  if (toWireAmount(before + moving) !== total)
    throw new HandOverWrong(`what moves is ${before + moving} fen and no longer the ${total} of the export`);
  await endHolds(desk, platformId, book.shardId);
  await eachAccount(desk, platformId, async (parts) => {
    const due = parts.map(({ account, amount, orderNo }) => ({
      requestNo: `handover:${account}`,
      kind: 'hand-over',
      data: {
        ...{ account: toWire('account', account), amount: toWireMoney(amount), reference },
        ...(orderNo === undefined ? {} : { orderNo }),
      },
    }));
    await give(desk, { platformId, shardId: book.shardId }, due);
  });
  await rt.db.withTx(
    'handed-over',
    (tx) => setRounded(tx, wind.id, null),
    async () => undefined,
  );
  return rt.db.read('handed-over', (tx) => handedOver(tx, platformId, reference));
}

type Parsed = ReturnType<typeof manifestSchema.safeParse> | ReturnType<typeof takeoverSchema.safeParse>;

function genuine(parsed: Parsed, keys: PublicKeys, noun: string): Manifest | Takeover {
  if (!parsed.success) throw new HandOverWrong(shapeFault(parsed.error, noun));
  const fault = signatureFault(parsed.data, keys);
  if (fault !== undefined) throw new HandOverWrong(`the ${noun}: ${fault}`);
  return parsed.data as Manifest | Takeover;
}

function checkPair(platformId: Id, manifest: Manifest, receipt: Takeover): void {
  if (manifest.content.platform !== toWire('platform', platformId)) throw new HandOverWrong('the export is of another platform');
  if (receipt.content.export !== manifest.hash || receipt.content.total !== manifest.content.total)
    throw new HandOverWrong('the receipt is of another export');
}

interface Part {
  readonly account: Id;
  readonly amount: Minor;
  readonly orderNo: string | undefined;
}

async function eachAccount({ rt }: Desk, platformId: Id, each: (parts: readonly Part[]) => Promise<void>): Promise<void> {
  const types: readonly AccountType[] = HELD_TYPES;
  for (let cursor: Cursor | undefined, first = true; first || cursor !== undefined; first = false) {
    const from: Cursor | undefined = cursor;
    const { parts, next } = await rt.db.read('hand-over-page', async (tx) => {
      const book = await loadBook(tx, platformId);
      const round = await roundOf(tx, book, await requireWindDown(tx, platformId), rt.clock.now());
      const read = await standingsPage(tx, rt.vault, { book, round, types, from });
      const found = read.page.map((standing) => ({
        account: standing.account.id,
        amount: movingOf(standing, round),
        orderNo: standing.order?.orderNo,
      }));
      return { parts: found.filter(({ amount }) => amount > 0n), next: read.next };
    });
    if (parts.length > 0) await each(parts);
    cursor = next;
  }
}

const PAGE = 500;

/** The holds that went along with their members. */
async function endHolds(desk: Desk, platformId: Id, shardId: number): Promise<void> {
  for (let after = asId('0'); ; ) {
    const from = after;
    const page = await desk.rt.db.read('moving-holds', (tx) => holdsPage(tx, platformId, from, PAGE));
    await give(
      desk,
      { platformId, shardId },
      page.map(({ id }) => ({ requestNo: `handover:hold:${id}`, kind: 'release', data: { hold: toWire('hold', id) } })),
    );
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

async function give(
  desk: Desk,
  { platformId, shardId }: { platformId: Id; shardId: number },
  due: readonly { requestNo: string; kind: string; data: unknown }[],
): Promise<void> {
  const receipts = await decideNow(
    desk,
    due.map(({ requestNo, kind, data }) => ({
      shardId,
      submission: { platformId, origin: 'S', requestNo, kind, body: canonicalJson(data), actor: 'hand-over' },
    })),
  );
  const ids = receipts.flatMap((receipt) => ('id' in receipt ? [receipt.id] : []));
  invariant(ids.length === due.length, 'an instruction of a hand-over means the same under its number each time');
  const views = await desk.rt.db.read('hand-over-outcomes', (tx) => findInstructions(tx, ids));
  for (const [place, id] of ids.entries()) {
    const outcome = views.get(id)?.outcome;
    if (outcome?.state !== 'posted') throw new HandOverWrong(`${due[place]?.requestNo}: ${outcome?.code ?? 'not decided yet'}`);
  }
}
