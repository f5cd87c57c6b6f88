import { dayAfter, type ModelAccount, OWN, reservedOf, sum } from './books.js';
import type { Model } from './model.js';
import { costOf, isPaidOn } from './paying.js';

/** What is to stay on an account, and below what its platform is told. Minor units. */
interface Mark {
  reserve: bigint;
  bank: bigint;
  alert: bigint;
  /** Since when it is low and its platform knows. */
  low: number | undefined;
  /** How often its platform was told. */
  told: number;
}

/** What platforms keep back of their sellers and want to be told of, for the plain bank. */
export class ModelWatches {
  readonly #model: Model;
  readonly #nextWorkingDay: (date: string) => string;
  readonly #marks = new Map<string, Mark>();
  /** By account: what an instruction changes of it, as it stood after the last step. */
  readonly #before = new Map<string, string>();

  constructor(model: Model, nextWorkingDay: (date: string) => string) {
    this.#model = model;
    this.#nextWorkingDay = nextWorkingDay;
  }

  mark(id: string): Mark {
    return this.#marks.get(id) ?? { reserve: 0n, bank: 0n, alert: 0n, low: undefined, told: 0 };
  }

  /** The platform says what is to stay, or below what it is told; answers the code of the refusal. */
  set(platform: string, id: string, to: { alert?: bigint; reserve?: bigint }): string | undefined {
    const account = this.#model.accounts.get(id);
    if (account?.platform !== platform) return 'NOT_FOUND';
    const may = account.type === 'sub' || (OWN.includes(account.type) && to.reserve === undefined);
    if (!may) return 'ACCOUNT_TYPE_NOT_ALLOWED';
    if (account.state === 'closed') return 'ACCOUNT_CLOSED';
    const { date } = this.#model.platform(platform);
    if (to.reserve !== undefined && this.#agreed(id, date) !== null) return 'RESERVE_AGREED';
    const mark = { ...this.mark(id), ...to };
    this.#marks.set(id, mark.alert === 0n ? { ...mark, low: undefined } : mark);
    return undefined;
  }

  /** The bank says what is to stay, whatever was agreed. */
  keep(id: string, bank: bigint): string | undefined {
    const account = this.#model.accounts.get(id);
    if (account?.type !== 'sub') return 'ACCOUNT_TYPE_NOT_ALLOWED';
    if (account.state === 'closed') return 'ACCOUNT_CLOSED';
    this.#marks.set(id, { ...this.mark(id), bank });
    return undefined;
  }

  #agreed(id: string, date: string): bigint | null {
    const all = this.#model.trade.agreements.get(id) ?? [];
    const inForce = all.find(({ from, until }) => from <= date && (until === undefined || date <= until));
    return inForce === undefined ? null : (inForce.reserve ?? 0n);
  }

  /** What stays on a seller's account on a date, and by whose word. */
  reserve(id: string, date: string) {
    const { reserve: platform, bank } = this.mark(id);
    const agreed = this.#agreed(id, date);
    const said = agreed ?? platform;
    return { inForce: said > bank ? said : bank, agreed, platform, bank };
  }

  /** After each step: those that were moved by it are told of when they are low now and were not. */
  decided(): void {
    for (const [id, account] of this.#model.accounts) {
      const now = changedByInstructions(account);
      const moved = this.#before.get(id) !== undefined && this.#before.get(id) !== now;
      this.#before.set(id, now);
      if (moved) this.#tell(id, account);
    }
  }

  /** What no instruction did is found by the sweep. */
  sweep(): void {
    for (const id of this.#marks.keys()) this.#tell(id, this.#model.accounts.get(id) as ModelAccount);
  }

  #tell(id: string, account: ModelAccount): void {
    const mark = this.#marks.get(id);
    if (mark === undefined || mark.alert === 0n || account.state === 'closed') return;
    const isLow = account.balance - reservedOf(account) < mark.alert;
    if (isLow === (mark.low !== undefined)) return;
    mark.low = isLow ? this.#model.now : undefined;
    if (isLow) mark.told += 1;
  }

  /** What the clearing of a date leaves on an account: the reserve, and what refunds that wait want of it. */
  keptBack(id: string, date: string): bigint {
    const waiting = [...this.#model.cover.waiting.values()].map(({ takesFrom }) => takesFrom.get(id) ?? 0n);
    return this.reserve(id, date).inForce + sum(waiting);
  }

  /** What the clearing of a date makes of a seller's account: what leaves it, the fee with it, and of that the fee; or why nothing. */
  pays(id: string, date: string): { gross: bigint; fee: bigint; because: string | null } {
    const account = this.#model.accounts.get(id) as ModelAccount;
    const paying = this.#model.trade.paying(id, date);
    const nothing = (because: string) => ({ gross: 0n, fee: 0n, because });
    if (account.state === 'closed') return nothing('closed');
    if (paying.to === 'sub-account' || account.type !== 'sub') return nothing('stays');
    if (!account.bound) return nothing('no-settlement-account');
    // Whom the tests bind is at another bank than the custodian.
    if (paying.to === 'own-bank') return nothing('other-destination');
    if (!isPaidOn(paying, date, this.#nextWorkingDay)) return nothing('not-a-pay-day');
    const young = sum([...account.uncleared].map(([due, amount]) => (due > date ? amount : 0n)));
    const reserved = reservedOf(account);
    const held = reserved + this.keptBack(id, date);
    const gross = account.balance - (held > young ? held : young);
    if (gross <= 0n) {
      if (account.balance === reserved) return nothing(reserved > 0n ? 'held' : 'empty');
      return nothing(young > reserved ? 'not-due' : 'kept-back');
    }
    if (gross < paying.minimum) return nothing('below-minimum');
    const fee = costOf(paying, gross, this.#model.trade.feeMax(id, date) ?? this.#model.platform(account.platform).feeMax);
    return fee < gross ? { gross, fee, because: null } : nothing('below-fee');
  }

  /** Of all sellers of a platform, on its open date. */
  clearing(platform: string): Map<string, bigint> {
    const { date } = this.#model.platform(platform);
    const ids = [...this.#model.accounts].flatMap(([id, of]) => (of.platform === platform ? [id] : []));
    return new Map(
      ids.flatMap((id) => {
        const { gross, fee } = this.pays(id, date);
        return gross > 0n ? [[id, gross - fee] as const] : [];
      }),
    );
  }

  /** When a seller is paid next, and how much as things stand; null: he is not. */
  nextClearing(id: string) {
    const account = this.#model.accounts.get(id) as ModelAccount;
    if (account.type !== 'sub' || !account.bound || account.state === 'closed') return null;
    const today = this.#model.platform(account.platform).date;
    const paying = this.#model.trade.paying(id, dayAfter(today));
    if (paying.cycle === 'on-request' || ['sub-account', 'own-bank'].includes(paying.to)) return null;
    const days: string[] = [];
    for (let date = dayAfter(today); days.length < 40; date = dayAfter(date))
      if (isPaidOn(paying, date, this.#nextWorkingDay)) days.push(date);
    const free = account.balance - reservedOf(account) - this.keptBack(id, dayAfter(today));
    const young = (date: string) => sum([...account.uncleared].map(([due, amount]) => (due > date ? amount : 0n)));
    const date = days.find((day) => free > 0n && account.balance > young(day)) ?? (days[0] as string);
    const { gross, fee, because } = account.state === 'frozen' ? { gross: 0n, fee: 0n, because: 'frozen' } : this.pays(id, date);
    return { date, amount: gross - fee, fee, keptBack: this.keptBack(id, date), because };
  }
}

/** Not what an authority freezes: no instruction does that. */
function changedByInstructions({ balance, held, claims }: ModelAccount): string {
  const disputed = sum(claims.map(({ kind, left }) => (kind === 'dispute' ? left : 0n)));
  return [balance, held, disputed].join(' ');
}
