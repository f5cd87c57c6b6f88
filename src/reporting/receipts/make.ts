import { timingSafeEqual } from 'node:crypto';
import { entriesBetween, requireAccount } from '../../accounts/index.js';
import { kinds } from '../../instructions/index.js';
import {
  asId,
  type Id,
  invariant,
  maskName,
  Refused,
  refuse,
  signContent,
  toRfc3339,
  toWire,
  toWireAmount,
} from '../../kernel/index.js';
import { readPlatform } from '../../platforms/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { holderOf, postedOf } from '../check-files/books-store.js';
import { counterOf, shownAmount } from '../statements/rules.js';
import { codeOfHash, ENTRY_RECEIPT_VERSION, type EntryReceipt, typedCode } from './rules.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'receiptKeys'>;

/**
 * The receipt of an entry, made from what never changes: made again it says the same, signed by the key of today.
 * @param owner the platform that asks; absent for the bank's staff
 * @throws Refused NOT_FOUND, also for an account of another platform
 */
export function receiptOfEntry(rt: Parts, account: Id, seq: number, owner: Id | undefined): Promise<EntryReceipt> {
  const { vault, receiptKeys } = rt;
  return rt.db.snapshot('entry-receipt', async (tx) => {
    const { platformId, type } = await requireAccount(tx, account, owner);
    const [entry] = await entriesBetween(tx, account, { first: seq, last: seq, newestFirst: false }, 1);
    if (entry === undefined) throw new Refused(refuse('NOT_FOUND'));
    const posted = (await postedOf(tx, [entry.instruction])).get(entry.instruction);
    const own = posted?.entries.find((each) => each.account === account);
    const platform = await readPlatform(tx, platformId);
    invariant(posted && own && platform, `the instruction ${entry.instruction} of an entry was posted`);
    const holder = await holderOf(tx, vault, account, type);
    const amount = shownAmount(type, entry.amount);
    const { zh = posted.kind, en = posted.kind } = kinds.get(posted.kind) ?? {};
    const content = {
      receiptNo: `${entry.instruction}${account}`,
      code: codeOf(rt, entry.instruction, account),
      platform: toWire('platform', platformId),
      platformName: platform.name,
      account: toWire('account', account),
      accountType: type,
      holder: holder === undefined ? null : maskName(holder),
      merchantNo: own.merchantNo === '' ? null : own.merchantNo,
      side: amount > 0n ? ('in' as const) : ('out' as const),
      amount: toWireAmount(amount > 0n ? amount : -amount),
      currency: 'CNY' as const,
      balance: toWireAmount(shownAmount(type, entry.balance)),
      counter: { ...counterOf(posted, own, (sealed) => vault.read(sealed)) },
      kind: posted.kind,
      kindName: { zh, en },
      instruction: toWire('instruction', entry.instruction),
      requestNo: posted.requestNo,
      seq: entry.seq,
      entryHash: entry.hash.toString('hex'),
      businessDate: entry.businessDate,
      postedAt: toRfc3339(entry.postedMs),
    };
    return signContent(ENTRY_RECEIPT_VERSION, content, receiptKeys);
  });
}

/** Nobody without the bank's key can make it, and it stays the same for ever: that key does not rotate. */
function codeOf({ vault }: Pick<Parts, 'vault'>, instruction: Id, account: Id): string {
  return codeOfHash(vault.index('entry-receipt', `${instruction}.${account}`));
}

/** What somebody who holds a receipt typed of it. */
export interface Typed {
  readonly receiptNo: string;
  readonly code: string;
  /** Fen. */
  readonly amount?: number | undefined;
  readonly businessDate?: string | undefined;
}

/** Whether there is such a receipt, and which of the other things typed are as in the books. Nothing is told that was not typed. */
export type Verified =
  | { readonly genuine: false }
  | { readonly genuine: true; readonly amount: boolean | null; readonly businessDate: boolean | null };

/** The code is looked at first, and without the database: who guesses learns nothing. */
export async function verifyTyped(rt: Parts, typed: Typed): Promise<Verified> {
  const instruction = asId(typed.receiptNo.slice(0, 19));
  const account = asId(typed.receiptNo.slice(19));
  const [given, right] = [typedCode(typed.code), codeOf(rt, instruction, account)].map((code) => Buffer.from(code, 'utf8')) as [
    Buffer,
    Buffer,
  ];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return { genuine: false };
  const entry = await rt.db.read('verify-receipt', (tx) => entryOfReceipt(tx, instruction, account));
  if (entry === undefined) return { genuine: false };
  const amount = entry.amount < 0n ? -entry.amount : entry.amount;
  return {
    genuine: true,
    amount: typed.amount === undefined ? null : BigInt(typed.amount) === amount,
    businessDate: typed.businessDate === undefined ? null : typed.businessDate === entry.businessDate,
  };
}

async function entryOfReceipt(tx: Tx, instruction: Id, account: Id) {
  return (await postedOf(tx, [instruction])).get(instruction)?.entries.find((entry) => entry.account === account);
}
