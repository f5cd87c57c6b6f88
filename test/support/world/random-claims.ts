import type { Data } from '../given.js';
import type { ServiceBank } from '../scenario-banks.js';
import type { Chance } from './chance.js';

const GHOST = '1000000000000000001';
const DAY = 86_400_000;

/** Kinds about what is claimed and held, as often as they stand here. */
export const CLAIM_KINDS = ['dispute-open', 'dispute-open', 'dispute-end', 'bulk-release', 'judicial-deduction'] as const;
export type ClaimKind = (typeof CLAIM_KINDS)[number];

export function isClaimKind(kind: string): kind is ClaimKind {
  return (CLAIM_KINDS as readonly string[]).includes(kind);
}

interface Side {
  readonly id: string;
  readonly own: Readonly<Record<string, string>>;
  readonly subs: readonly string[];
  readonly purses: readonly string[];
}

/** Disputes, authorities and bulk releases by chance. */
export class RandomClaims {
  readonly #bank: ServiceBank;
  readonly #chance: Chance;

  constructor(bank: ServiceBank, chance: Chance) {
    this.#bank = bank;
    this.#chance = chance;
  }

  /** What authorities order between two batches, and what ends by itself. */
  async between(side: Side): Promise<void> {
    const chance = this.#chance;
    if (chance.once(3)) {
      const others = [side.own.commission, side.own['own-funds'], side.own.custody] as string[];
      const account = chance.pick(chance.once(5) ? others : [...side.subs, ...side.purses.slice(0, 1)]);
      const amount = chance.once(6) ? undefined : this.#some(3_000);
      await this.#bank.court({ account, amount, until: this.#day(chance.below(15) - 1) });
    }
    for (const [id, freeze] of this.#bank.model.freezes) {
      if (!freeze.open || !this.#isOf(side, id)) continue;
      if (chance.once(3)) await this.#bank.orderDeduction(id, this.#some(1_000));
      if (chance.once(12)) await this.#bank.renewCourt(id, this.#day(1 + chance.below(5)));
      if (chance.once(6)) await this.#bank.liftCourt(id, chance.once(2) ? undefined : this.#some(1_000));
    }
    if (chance.once(2)) await this.#bank.expireCourts();
  }

  #isOf(side: Side, freeze: string): boolean {
    const account = this.#bank.model.freezes.get(freeze)?.account ?? '';
    return this.#bank.model.accounts.get(account)?.platform === side.id;
  }

  #some(max: number): bigint {
    return 1n + BigInt(this.#chance.below(max));
  }

  /** The date so many days from now. */
  #day(days: number): string {
    return new Date(this.#bank.model.now + 8 * 3_600_000 + days * DAY).toISOString().slice(0, 10);
  }

  /** @param orderNo an order that a dispute may be over */
  data(kind: ClaimKind, side: Side, orderNo: string): Partial<Data> {
    if (kind === 'dispute-open') return this.#dispute(side, orderNo);
    if (kind === 'dispute-end') {
      const open = [...this.#bank.model.disputes].filter(([, { platform, open }]) => open && platform === side.id);
      const result = this.#chance.once(2) ? 'upheld' : 'rejected';
      return { dispute: `dsp_${this.#one(open)}`, result };
    }
    if (kind === 'judicial-deduction') {
      const approved = [...this.#bank.model.deductions].filter(([, { ordered, freeze }]) => !ordered && this.#isOf(side, freeze));
      return { deduction: `ded_${this.#one(approved.slice(-3))}` };
    }
    if (this.#chance.once(12)) return { purpose: this.#chance.once(2) ? '保证' : '别的' };
    const open = [...this.#bank.model.holds].filter(([, { platform, left }]) => platform === side.id && left > 0n);
    return { holds: Array.from({ length: 1 + this.#chance.below(3) }, () => `hld_${this.#one(open)}`) };
  }

  #dispute(side: Side, orderNo: string): Partial<Data> {
    const order = this.#bank.model.orders.get(`${side.id}/${orderNo}`)?.account;
    const receivers = [...this.#bank.model.shares.keys()].filter((key) => key.startsWith(`${order}/`));
    const receiver = receivers.length === 0 || this.#chance.once(10) ? GHOST : this.#chance.pick(receivers).slice(20);
    return {
      ...{ orderNo, amount: { amount: Number(this.#some(2_500)), currency: 'CNY' }, reason: '货不对板' },
      ...(this.#chance.once(3) ? {} : { account: `acc_${receiver}` }),
      expiresAt: new Date(this.#bank.model.now + (this.#chance.below(6) - 1) * DAY + 1).toISOString(),
    };
  }

  /** Mostly one of these. */
  #one(of: readonly (readonly [string, unknown])[]): string {
    return of.length === 0 || this.#chance.once(20) ? GHOST : this.#chance.pick(of)[0];
  }
}
