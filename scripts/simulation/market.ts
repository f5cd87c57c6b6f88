import { isOpening, openPlatform, openSubMerchants } from '../../src/accounts/index.js';
import type { Bank } from '../../src/channels/simulator/bank.js';
import { type BusinessDate, type Id, toWire } from '../../src/kernel/index.js';
import { type Book, ensureShards, setTerms } from '../../src/ledger/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import type { Model } from '../../test/support/model/model.js';
import { sellerOf, usccOf } from '../demo/people.js';

/** A platform as the simulation knows it. */
export interface Side {
  readonly book: Book;
  readonly name: string;
  /** Sub-accounts, in wire form. */
  readonly subs: string[];
  /** Sub-merchants with their bare accounts, for the staff. */
  readonly merchants: { readonly id: Id; readonly account: Id }[];
  readonly orders: string[];
}

/** Platforms and sub-merchants: several on one shard, one alone on its own. */
export class Market {
  readonly sides: Side[] = [];
  readonly #model: Model;
  readonly #bank: Bank;
  #merchants = 0;

  constructor(model: Model, bank: Bank) {
    this.#model = model;
    this.#bank = bank;
  }

  side(platform: string): Side {
    const side = this.sides.find(({ book }) => book.platformId === platform);
    if (side === undefined) throw new Error(`no platform ${platform}`);
    return side;
  }

  async open(rt: Runtime, date: BusinessDate, shards: number, platforms: number): Promise<void> {
    await rt.db.withTx('shards', (tx) => ensureShards(tx, shards));
    for (let number = 0; number < platforms; number += 1) {
      const custodyNo = `9990001${String(number).padStart(8, '0')}`;
      const name = `模拟平台${number}`;
      const refusal = this.#bank.openCustodyAccount(custodyNo, name);
      if (refusal !== undefined) throw new Error(refusal);
      const terms = { transferMax: number === 2 ? 0n : 5_000_000n, feeMax: number === 2 ? 0n : 10_000n };
      const settlementAccount = {
        name,
        account: `8800${String(number).padStart(12, '0')}`,
        bankCode: number % 2 === 0 ? '' : '102100099996',
      };
      const book = await rt.db.withTx('platform', (tx) =>
        openPlatform(tx, rt, { name, uscc: usccOf(number), custodyNo, openDate: date, terms, settlementAccount }),
      );
      const side: Side = { book, name, subs: [], merchants: [], orders: [] };
      this.sides.push(side);
      this.#model.openPlatform(book.platformId, date, book.accounts);
      Object.assign(this.#model.platform(book.platformId), terms);
      for (let merchant = 0; merchant < 6; merchant += 1) await this.openMerchant(rt, side, merchant === 5);
    }
  }

  async openMerchant(rt: Runtime, side: Side, onRequest = false): Promise<void> {
    this.#merchants += 1;
    const number = this.#merchants;
    // The first digit says whether the seller banks with the custodian.
    const seller = sellerOf(`${number % 2 === 0 ? '1' : 'a'}${number.toString(16).padStart(31, '0')}`, number);
    const cycle = onRequest ? ('on-request' as const) : ('t+1' as const);
    const [opening] = await openSubMerchants(rt, side.book.platformId, [{ ...seller, cycle }]);
    if (opening === undefined || !isOpening(opening)) throw new Error(`a merchant was not opened: ${JSON.stringify(opening)}`);
    const { id, accountId } = opening.merchant;
    side.merchants.push({ id, account: accountId });
    side.subs.push(toWire('account', accountId));
    this.#model.openAccount(accountId, side.book.platformId, 'sub', true);
  }

  async changeTerms(rt: Runtime, side: Side, transferMax: bigint, feeMax: bigint): Promise<void> {
    await rt.db.withTx('terms', (tx) => setTerms(tx, side.book.platformId, { transferMax, feeMax }));
    Object.assign(this.#model.platform(side.book.platformId), { transferMax, feeMax });
  }
}
