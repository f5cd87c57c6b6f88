import { kinds, receiveInTx } from '../instructions/index.js';
import { canonicalJson, type Id, invariant, Refused, refuse, toWire, toWireAmount, WIRE_MAX } from '../kernel/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { acceptBreak, type Break, findBreak, keptLines } from './store.js';

const KIND = 'suspense-credit';
const NAME_UNKNOWN = '无户名';

interface Booking {
  readonly note: string;
  readonly payer?: { readonly account: string; readonly bankCode: string } | undefined;
  readonly by: string;
}

/**
 * Books what the bank alone has on suspense, in the transaction that closes its break. The day of the statement stays as it is; the books
 * have the money on the open date, and the next statement, which does not show it, clears the difference. It is instructed under the
 * number of the break, so no second click books it again.
 * @throws Refused NOT_FOUND, BREAK_CLOSED, BREAK_NOT_SUSPENSE
 */
export async function bookOnSuspense(
  tx: Tx,
  rt: Runtime,
  id: Id,
  { note, payer, by }: Booking,
): Promise<{ row: Break; instruction: Id; shardId: number }> {
  const found = await findBreak(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const body = await dataOf(tx, rt, found, payer);
  if (body === undefined)
    throw new Refused(refuse('BREAK_NOT_SUSPENSE', undefined, { break: toWire('break', id), class: found.class }));
  if (!(await acceptBreak(tx, id, by, note, rt.clock.now()))) throw new Refused(refuse('BREAK_CLOSED'));
  const requestNo = `suspense:${id}`;
  const { platformId } = found;
  invariant(platformId, 'the statement of a platform');
  const { receipt, shardId } = await receiveInTx(tx, rt, { platformId, origin: 'O', requestNo, kind: KIND, body, actor: by });
  if ('refused' in receipt) throw new Refused(receipt.refused);
  const row = await findBreak(tx, id);
  invariant(row, 'a break that was there stays');
  return { row, instruction: receipt.id, shardId };
}

/** The instruction's body; undefined where it is not money that came in and that nothing explains. */
async function dataOf(tx: Tx, { vault }: Runtime, of: Break, payer: Booking['payer']): Promise<string | undefined> {
  const { theirAmount: amount } = of;
  if (of.class !== 'only-theirs' || of.timing || of.clearedDate !== null) return undefined;
  if (amount === null || amount <= 0n || amount > WIRE_MAX) return undefined;
  const lines = await keptLines(tx, of);
  const words = (texts: readonly string[]) =>
    tidied(new Set(texts.filter((text) => text !== '').map((text) => vault.read(text))));
  const name = words(lines.map((line) => line.counterparty)).slice(0, 128) || NAME_UNKNOWN;
  const told = words(lines.map((line) => line.text)).slice(0, 256);
  const data = {
    amount: { amount: toWireAmount(amount), currency: 'CNY' },
    payer: { name, account: payer?.account ?? '', bankCode: payer?.bankCode ?? '' },
    reference: of.reference,
    ...(told === '' ? {} : { told }),
  };
  return kinds.get(KIND)?.schema.safeParse(data).success ? canonicalJson(data) : undefined;
}

function tidied(texts: ReadonlySet<string>): string {
  return [...texts]
    .join(' ')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}
