import type { Given } from '../given.js';
import { bare, type ModelOrder } from './books.js';
import type { ModelPayee } from './reviews.js';

/** The number of the card that scenarios bind to an account. */
export const cardOf = (account: string) => `62${account.slice(-16)}`;
/** The bound card as the payer of a transfer; the bank is any branch of the one that issued it. */
export const boundPayer = (account: string) => ({ name: '张三', account: cardOf(account), bankCode: '102100099996' });
/** The settlement account that the tests bind to sub-accounts and to the platform's own. */
export const ownPayer = (account: string) => ({ name: '户名', account: cardOf(account) });

const PAYS_OWNER = ['withdrawal', 'clearing', 'account-closing'];

/** Who outside stands behind accounts and orders, for the plain bank. */
export class Outside {
  readonly #bound = new Map<string, { readonly name: string; readonly card: string }>();

  bind(account: string, to: { readonly name: string; readonly card: string }): void {
    this.#bound.set(account, to);
  }

  #boundTo(account: string, type: string): { readonly name: string; readonly card: string } {
    const name = type.startsWith('class-') ? '张三' : '户名';
    return this.#bound.get(account) ?? { name, card: cardOf(account) };
  }

  /** Who is paid outside by an instruction that gives money to nobody but him. @param order that it is of */
  payee({ kind, data }: Given, order: ModelOrder | undefined, typeOf: (account: string) => string): ModelPayee | undefined {
    const { account } = data;
    if (PAYS_OWNER.includes(kind) && account !== undefined)
      return { ...this.#boundTo(bare(account), typeOf(bare(account))), isOwner: true };
    if (kind !== 'refund' || order === undefined) return undefined;
    const { payer, payerAccount } = order;
    if (payerAccount !== undefined) return { ...this.#boundTo(payerAccount, typeOf(payerAccount)), isOwner: false };
    const [name = '', ...card] = payer.split('|');
    return { name, card: card.join(' '), isOwner: false };
  }
}
