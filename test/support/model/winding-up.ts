import type { Given } from '../given.js';
import { type ModelAccount, type ModelPayout, type ModelPlatform, reservedOf, sum } from './books.js';
import type { Law } from './law.js';
import type { Lending } from './lending.js';
import type { ModelProject } from './lending-books.js';

/** Kinds that begin something, which nobody gives where a platform is wound up. */
const NEW = [
  ...['payment', 'combined-payment', 'subsidy', 'margin-deposit', 'hold', 'top-up', 'account-payment'],
  ...['escrow-payment', 'escrow-funding', 'bid', 'lend-out', 'claim-sale', 'claim-purchase', 'take-over'],
  ...['fund-subscription', 'fund-exchange', 'pot-payment'],
];
/** Kinds that only the bank gives there any more. */
const OF_THE_BANK = ['fee', 'acquirer-fee'];

export function beginsSomething({ kind, origin }: Given): boolean {
  return NEW.includes(kind) || (OF_THE_BANK.includes(kind) && origin === 'P');
}

/** What of the plain bank a wind-down looks at. */
interface Books {
  readonly accounts: ReadonlyMap<string, ModelAccount>;
  readonly payouts: ReadonlyMap<string, ModelPayout>;
  readonly law: Law;
  readonly lending: Lending;
  readonly now: number;
  platform(id: string): ModelPlatform;
}

type Give = (kind: string, data: Given['data']) => void;

const money = (amount: bigint) => ({ amount: Number(amount), currency: 'CNY' as const });
const least = (one: bigint, other: bigint) => (one < other ? one : other);
/** Whose money is looked at first; the platform's own comes last. */
const ORDER = ['sub', 'class-2', 'class-3', 'reserve', 'advance', 'own-funds', 'commission', 'marketing', 'fees'];
const SET_ASIDE = ['reserve', 'advance'];

/** What a lending platform left behind, brought back by the plain bank: round by round, whatever can go to its owner now. */
export class WindDowns {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** @param give decides it at once */
  round(platform: string, give: Give): void {
    const { profile, own } = this.#books.platform(platform);
    if (profile !== 'lending') throw new Error('the plain bank winds lending platforms up and no others');
    for (const [kind, data] of this.#ofProjects(platform)) give(kind, data);
    for (const type of ORDER) {
      const accounts = [...this.#books.accounts].filter(([, of]) => of.platform === platform && of.type === type);
      const goes = accounts.flatMap(([id, account]) => {
        const amount = this.#goes(platform, id, account);
        return amount > 0n ? [{ id, amount }] : [];
      });
      for (const { id, amount } of goes.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))) {
        if (SET_ASIDE.includes(type))
          give('transfer', { from: `acc_${id}`, to: `acc_${own['own-funds']}`, amount: money(amount) });
        else give('clearing', { account: `acc_${id}`, amount: money(amount) });
      }
    }
  }

  /** What is not lent ends; of what is due as much is taken as the borrower has and lets be taken. */
  #ofProjects(platform: string): [kind: string, data: Given['data']][] {
    const { lending } = this.#books;
    const mine = lending.projects.filter((project) => project.platform === platform);
    const over = mine.filter(({ state }) => ['registered', 'raising', 'full'].includes(state));
    const has = new Map<string, bigint>();
    const spoken = new Map<string, bigint>();
    return [
      ...over.map(({ projectNo }): [string, Given['data']] => ['miscarriage', { projectNo } as unknown as Given['data']]),
      ...mine.flatMap((project): [string, Given['data']][] => {
        if (project.state !== 'lent') return [];
        const { borrower, projectNo } = project;
        const account = this.#books.accounts.get(borrower) as ModelAccount;
        const free = has.get(borrower) ?? account.balance - reservedOf(account);
        const wanted = least(lending.loans.owes(project).due, free);
        const { amount, mandate } = this.#mayTake(project, wanted, spoken);
        if (amount <= 0n) return [];
        has.set(borrower, free - amount);
        if (mandate !== undefined) spoken.set(mandate, (spoken.get(mandate) ?? 0n) + amount);
        const data = { projectNo, from: `acc_${borrower}`, amount: money(amount), of: 'due' };
        return [['repayment', (mandate === undefined ? data : { ...data, mandate: `mdt_${mandate}` }) as Given['data']]];
      }),
    ];
  }

  /** A company signed for it; of a person it is taken under the mandate that lets most of it be taken. */
  #mayTake(
    { borrower }: ModelProject,
    wanted: bigint,
    spoken: ReadonlyMap<string, bigint>,
  ): { amount: bigint; mandate?: string } {
    if (this.#books.accounts.get(borrower)?.type === 'sub') return { amount: wanted };
    let best: { amount: bigint; mandate?: string } = { amount: 0n };
    for (const [mandate, of] of this.#mandates(borrower)) {
      const amount = least(wanted, this.#books.law.quotaOf(of, this.#books.now, spoken.get(mandate) ?? 0n));
      if (amount > best.amount) best = { amount, mandate };
    }
    return best;
  }

  #mandates(borrower: string) {
    return [...this.#books.law.mandates].filter(
      ([, { account, kinds, projects, revoked, expires }]) =>
        account === borrower && kinds.includes('repayment') && projects === true && !revoked && this.#books.now < expires,
    );
  }

  /** What goes out of an account now. */
  #goes(platform: string, id: string, account: ModelAccount): bigint {
    const { balance, type, state, bound, uncleared } = account;
    if (state !== 'open') return 0n;
    const reserved = reservedOf(account);
    if (SET_ASIDE.includes(type)) {
      const stays = type === 'reserve' && this.#lent(platform).length > 0;
      return stays ? 0n : balance - reserved;
    }
    const young = sum(uncleared.values());
    const last = [...this.#books.payouts.values()].filter(({ source, collects }) => source === id && !collects).at(-1);
    if (!bound || last?.state === 'failed' || last?.state === 'returned') return 0n;
    return balance - (young > reserved ? young : reserved) - this.#kept(platform, id);
  }

  /** What stays with a borrower of whom the bank may take it: what is due of him, and the instalment that comes next. */
  #kept(platform: string, id: string): bigint {
    const { accounts, lending } = this.#books;
    if (accounts.get(id)?.type !== 'sub' && this.#mandates(id).length === 0) return 0n;
    return sum(
      this.#lent(platform).map((project) => {
        const { due, next } = lending.loans.owes(project);
        return project.borrower === id ? due + next : 0n;
      }),
    );
  }

  #lent(platform: string): ModelProject[] {
    return this.#books.lending.projects.filter((project) => project.platform === platform && project.state === 'lent');
  }
}
