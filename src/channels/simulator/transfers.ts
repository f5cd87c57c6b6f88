import type { BusinessDate, Minor } from '../../kernel/index.js';
import type { IncomingPage } from '../core-bank.js';
import type { Faults } from './faults.js';

export interface IncomingItem {
  readonly reference: string;
  readonly virtualNo: string;
  readonly amount: Minor;
  readonly payer: { readonly name: string; readonly account: string; readonly bankCode: string };
  readonly businessDate: BusinessDate;
  readonly message?: { readonly channel: string; readonly sender: string; readonly messageNo: string } | undefined;
  readonly remark?: string | undefined;
}

interface Transfer extends IncomingItem {
  state: 'held' | 'accepted' | 'rejected';
  /** Of an accepted one: where it was booked, and on which date. */
  booked?: { readonly custodyNo: string; readonly date: BusinessDate };
  /** Of a rejected one. */
  reason?: string;
}

/** Transfers to virtual account numbers: held until somebody says whether they are accepted, and each said once for ever. */
export class Transfers {
  readonly #faults: Faults;
  readonly #transfers = new Map<string, Transfer>();
  readonly #feed: Transfer[] = [];

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** The same again is the same. @returns its reference, or why not */
  add(item: Omit<IncomingItem, 'reference'> & { reference?: string | undefined }): { reference: string } | string {
    const reference = item.reference ?? `IT${String(this.#transfers.size + 1).padStart(12, '0')}`;
    const before = this.#transfers.get(reference);
    if (before !== undefined) {
      return contentOf(before) === contentOf(item) ? { reference } : `transfer ${reference} came before with another content`;
    }
    const transfer: Transfer = { ...item, reference, state: 'held' };
    this.#transfers.set(reference, transfer);
    const copies = this.#faults.ofPayment('core', 'double-news', reference) === undefined ? 1 : 2;
    for (let copy = 0; copy < copies; copy += 1) this.#feed.push(transfer);
    return { reference };
  }

  incoming(after: string, limit: number): IncomingPage {
    const from = after === '' ? 0 : Number(after);
    const items = this.#feed.slice(from, from + limit).map((transfer, place) => {
      const { reference, virtualNo, amount, payer, businessDate, message, remark = '' } = transfer;
      const shown = { reference, virtualNo, amount, payer, businessDate, remark };
      return { cursor: String(from + place + 1), ...shown, ...(message === undefined ? {} : { message }) };
    });
    return { items, next: items.at(-1)?.cursor ?? after };
  }

  /**
   * Accepts a transfer, if `book` has nothing against it. @returns why not, or undefined
   * @param book books it; booking the same again changes nothing
   */
  accept(
    reference: string,
    custodyNo: string,
    date: BusinessDate,
    book: (item: IncomingItem) => string | undefined,
  ): string | undefined {
    const transfer = this.#transfers.get(reference);
    if (transfer === undefined) return 'no such transfer';
    if (transfer.state === 'rejected') return 'the transfer was sent back';
    const { booked } = transfer;
    if (booked !== undefined && (booked.custodyNo !== custodyNo || booked.date !== date))
      return 'the transfer was accepted for another account or date';
    const refusal = book(transfer);
    if (refusal !== undefined) return refusal;
    transfer.state = 'accepted';
    transfer.booked = { custodyNo, date };
    return undefined;
  }

  /** @returns why not, or undefined */
  reject(reference: string, reason: string): string | undefined {
    const transfer = this.#transfers.get(reference);
    if (transfer === undefined) return 'no such transfer';
    if (transfer.state === 'accepted') return 'the transfer was accepted';
    transfer.state = 'rejected';
    transfer.reason ??= reason;
    return undefined;
  }

  all(): Transfer[] {
    return [...this.#transfers.values()];
  }
}

function contentOf({ virtualNo, amount, payer }: Omit<IncomingItem, 'reference'>): string {
  return JSON.stringify([virtualNo, amount.toString(), payer.name, payer.account, payer.bankCode]);
}
