import type { ModelTest } from '../model/reviews.js';
import type { ServiceBank } from '../scenario-banks.js';
import type { Chance } from './chance.js';

const PEOPLE = ['anne', 'bert', 'cleo'] as const;
/** Those for which the batch never ends early: what they look at is all named by the instruction. */
const KINDS = ['transfer', 'withdrawal', 'fee', 'own-transfer', 'capture'];

/** Review rules of some platforms, and what people and deadlines decide, by chance. */
export class RandomReviews {
  readonly #bank: ServiceBank;
  readonly #chance: Chance;
  readonly #rules = new Map<string, string>();
  #given = 0;

  constructor(bank: ServiceBank, chance: Chance) {
    this.#bank = bank;
    this.#chance = chance;
  }

  /** What happens between two batches: a rule comes or goes, people look at what is open, deadlines pass. */
  async between(platform: string): Promise<void> {
    const chance = this.#chance;
    if (!this.#rules.has(platform) || chance.once(6)) await this.#changeRule(platform);
    await this.#payAround(platform);
    const open = [...this.#bank.model.reviews.open].filter(([, { state }]) => state === 'open').map(([id]) => id);
    for (const id of open) {
      if (!chance.once(2)) continue;
      const verdict = chance.once(4) ? 'reject' : 'approve';
      await this.#bank.reviews.verdict(id, chance.pick(PEOPLE), verdict);
    }
    if (!chance.once(3)) return;
    await this.#bank.setNow(this.#bank.reviews.now() + 60_000 * (1 + chance.below(20)));
    await this.#bank.reviews.lapse();
  }

  /** Sellers who have something pay each other or themselves. */
  async #payAround(platform: string): Promise<void> {
    const chance = this.#chance;
    const subs = [...this.#bank.model.accounts].filter(([, of]) => of.platform === platform && of.type === 'sub');
    const rich = subs.filter(([, of]) => of.balance > 0n).map(([id]) => `acc_${id}`);
    if (rich.length === 0) return;
    const asked = Array.from({ length: 3 }, () => {
      this.#given += 1;
      const [account, to] = [chance.pick(rich), `acc_${chance.pick(subs)[0]}`];
      const amount = { amount: 1 + chance.below(400), currency: 'CNY' as const };
      const of = { platform, origin: 'P' as const, requestNo: `V${this.#given}` };
      return chance.once(2)
        ? { ...of, kind: 'transfer', data: { from: account, to, amount } }
        : { ...of, kind: 'withdrawal', data: { account, amount } };
    });
    await this.#bank.giveAll(asked);
  }

  async #changeRule(platform: string): Promise<void> {
    const chance = this.#chance;
    const before = this.#rules.get(platform);
    if (before !== undefined) {
      await this.#bank.reviews.endReviewRule(before);
      this.#rules.delete(platform);
      return;
    }
    const counted: ModelTest = {
      ...{ by: 'velocity', per: chance.once(2) ? 'platform' : 'account', within: chance.once(2) ? 'day' : 10 },
      ...{ times: chance.once(2) ? 1 + chance.below(2) : null, sum: BigInt(chance.below(600)) },
    };
    const test: ModelTest = chance.once(2) ? { by: 'amount', above: BigInt(chance.below(200)) } : counted;
    const onDeadline = chance.once(2) ? 'execute' : 'refuse';
    const kinds = KINDS.filter(() => !chance.once(3));
    const rule = { kinds: kinds.length === 0 ? KINDS : kinds, test, minutes: 1 + chance.below(30), onDeadline } as const;
    this.#rules.set(platform, await this.#bank.reviews.reviewRule(platform, rule));
  }
}
