/**
 * Which instructions the plain bank lets people look at first, written from the rules of the house. Amounts are minor units, ids bare
 * digits, times milliseconds.
 */
export type ModelTest =
  | { readonly by: 'amount'; readonly above: bigint }
  | { readonly by: 'new-payee' }
  | { readonly by: 'list-hit' }
  | { readonly by: 'changed-account' }
  /** In hundredths of a percent of the split. */
  | { readonly by: 'deviation'; readonly most: number }
  | {
      readonly by: 'velocity';
      readonly per: 'account' | 'platform';
      readonly within: number | 'day';
      readonly times: number | null;
      readonly sum: bigint | null;
    };

export interface ModelReviewRule {
  readonly platform: string;
  readonly kinds: readonly string[];
  readonly test: ModelTest;
  readonly minutes: number;
  readonly onDeadline: 'refuse' | 'execute';
  ended: boolean;
}

interface ModelReview {
  /** What people look at: how much is taken, and whom it pays. */
  readonly amount: bigint;
  readonly payees: readonly string[];
  readonly held: readonly { readonly from: string; readonly amount: bigint }[];
  readonly due: number;
  readonly onDeadline: 'refuse' | 'execute';
  /** By how much it may differ from its agreement, if that is what they look at. */
  readonly deviation: bigint | undefined;
  readonly approvers: Set<string>;
  state: 'open' | 'approved' | 'rejected' | 'passed' | 'lapsed';
}

/** Somebody outside who is paid. */
export interface ModelPayee {
  readonly name: string;
  readonly card: string;
  /** The owner of the account that pays: it is bound to him. */
  readonly isOwner: boolean;
}

/** An instruction as it is about to move money: what it takes of whom, and whom it pays. */
export interface Moving {
  readonly id: string;
  readonly platform: string;
  readonly kind: string;
  /** freed: what a hold kept for it already. through: the account that it passes through, whose owner pays. */
  readonly takes: readonly {
    readonly from: string;
    readonly amount: bigint;
    readonly freed?: bigint;
    readonly through?: string;
  }[];
  readonly gives: readonly { readonly to: string }[];
  /** Who is paid outside. */
  readonly outside: ModelPayee | undefined;
  readonly typeOf: (account: string) => string;
  readonly now: number;
}

const BANK = ['custody', 'channel-due', 'collected', 'in-transit', 'suspense', 'fund-advance'];
const PAYEES = ['sub', 'class-2', 'class-3'];
const MINUTE = 60_000;

/** What the bank gives for somebody is his, who pays with it. */
function ofCustomers(takes: Moving['takes'], typeOf: Moving['typeOf']) {
  return takes.flatMap(({ from, amount, through }) =>
    through === undefined && BANK.includes(typeOf(from)) ? [] : [{ from: through ?? from, amount }],
  );
}

export class ModelReviews {
  readonly rules: ModelReviewRule[] = [];
  readonly open = new Map<string, ModelReview>();
  /** Accounts whose owners stand on the watch list, and names that do. */
  readonly listed = { accounts: new Set<string>(), names: new Set<string>() };
  /** By how much splits that are about to be made differ from their agreements. */
  readonly deviating = new Map<string, bigint>();
  readonly #paid = new Set<string>();
  readonly #paidOut: { readonly payout: string; readonly from: string; readonly card: string }[] = [];
  readonly #failed: (payout: string) => boolean;

  /** @param failed whether a payout did not stay with its payee */
  constructor(failed: (payout: string) => boolean) {
    this.#failed = failed;
  }

  #outflows: { platform: string; account: string | undefined; kind: string; amount: bigint; minute: number }[] = [];

  /** Whether people have to look at it first; then the money is to be held that it names. Or they have, and it is not what it was. */
  asks(moving: Moving): ModelReview | 'overtaken' | undefined {
    const looked = this.open.get(moving.id);
    if (looked !== undefined) {
      const isSame = this.#whole(moving) <= looked.amount && this.#payees(moving).every((to) => looked.payees.includes(to));
      return isSame ? undefined : 'overtaken';
    }
    const hit = this.rules.filter((rule) => this.#covers(rule, moving) && this.#isHit(rule, moving));
    if (hit.length === 0) return undefined;
    const review: ModelReview = {
      ...{ amount: this.#whole(moving), payees: this.#payees(moving) },
      held: moving.takes
        .filter(({ from, amount, freed }) => !BANK.includes(moving.typeOf(from)) && amount > (freed ?? 0n))
        .map(({ from, amount, freed }) => ({ from, amount: amount - (freed ?? 0n) })),
      due: moving.now + Math.min(...hit.map(({ minutes }) => minutes)) * MINUTE,
      onDeadline: hit.some((rule) => rule.onDeadline === 'refuse') ? 'refuse' : 'execute',
      deviation: hit.some((rule) => rule.test.by === 'deviation') ? this.deviating.get(moving.id) : undefined,
      approvers: new Set(),
      state: 'open',
    };
    this.open.set(moving.id, review);
    return review;
  }

  #covers({ platform, kinds, ended }: ModelReviewRule, moving: Moving): boolean {
    return platform === moving.platform && kinds.includes(moving.kind) && !ended;
  }

  #payers({ takes, typeOf }: Moving) {
    return ofCustomers(takes, typeOf).filter(({ from }) => typeOf(from) !== 'order');
  }

  /** By how much people may let a split differ from its agreement, or have; undefined: nobody is asked. */
  mostDeviation(id: string, platform: string): bigint | undefined {
    const looked = this.open.get(id);
    if (looked !== undefined) return looked.deviation ?? 0n;
    const most = this.rules.flatMap((rule) => {
      return rule.platform === platform && !rule.ended && rule.test.by === 'deviation' ? [BigInt(rule.test.most)] : [];
    });
    return most.length === 0 ? undefined : most.reduce((a, b) => (a > b ? a : b));
  }

  /** The accounts that are paid. */
  #within({ gives, typeOf }: Moving): string[] {
    return gives.flatMap(({ to }) => (PAYEES.includes(typeOf(to)) ? [to] : []));
  }

  /** All who are paid; outside both who it is and where. */
  #payees(moving: Moving): string[] {
    const { outside } = moving;
    return [...this.#within(moving), ...(outside === undefined ? [] : [`card:${outside.card}`, `name:${outside.name}`])];
  }

  /** The card that an account last paid out to, and the money stayed there. */
  #lastCard(account: string): string | undefined {
    return this.#paidOut.findLast(({ payout, from }) => from === account && !this.#failed(payout))?.card;
  }

  #isListed(moving: Moving): boolean {
    const { accounts, names } = this.listed;
    if (moving.outside !== undefined && names.has(moving.outside.name)) return true;
    return [...this.#payers(moving).map(({ from }) => from), ...this.#within(moving)].some((id) => accounts.has(id));
  }

  /** Somebody pays himself elsewhere than the last time. */
  #isChanged(moving: Moving): boolean {
    const { outside } = moving;
    if (outside?.isOwner !== true) return false;
    return this.#payers(moving).some(({ from }) => ![undefined, outside.card].includes(this.#lastCard(from)));
  }

  #isNew(moving: Moving): boolean {
    const isLast = (from: string) => this.#lastCard(from) === moving.outside?.card;
    return this.#pairs(moving).some(({ from, to, outside }) => !this.#paid.has(`${from}/${to}`) && !(outside && isLast(from)));
  }

  #whole({ takes, typeOf }: Moving): bigint {
    return ofCustomers(takes, typeOf).reduce((total, { amount }) => total + amount, 0n);
  }

  #pairs(moving: Moving): { from: string; to: string; outside: boolean }[] {
    const { outside } = moving;
    const cards = outside === undefined ? [] : [`card:${outside.card}`];
    return this.#payers(moving).flatMap(({ from }) => [
      ...this.#within(moving).map((to) => ({ from, to, outside: false })),
      ...cards.map((to) => ({ from, to, outside: true })),
    ]);
  }

  #isHit({ test, kinds }: ModelReviewRule, moving: Moving): boolean {
    const whole = this.#whole(moving);
    if (test.by === 'amount') return whole > test.above;
    if (test.by === 'new-payee') return this.#isNew(moving);
    if (test.by === 'list-hit') return this.#isListed(moving);
    if (test.by === 'changed-account') return this.#isChanged(moving);
    if (test.by === 'deviation') return this.deviating.has(moving.id);
    const since =
      test.within === 'day'
        ? Math.floor((moving.now + 8 * 60 * MINUTE) / (1_440 * MINUTE)) * 1_440 - 480
        : Math.floor(moving.now / MINUTE) - test.within;
    const subjects =
      test.per === 'platform' ? [{ from: undefined, amount: whole }] : this.#payers(moving).map((take) => ({ ...take }));
    return subjects.some(({ from, amount }) => {
      const counted = this.#outflows.filter(
        (one) => one.platform === moving.platform && one.account === from && kinds.includes(one.kind) && one.minute >= since,
      );
      const total = counted.reduce((sum, one) => sum + one.amount, amount);
      return (test.times !== null && counted.length + 1 > test.times) || (test.sum !== null && total > test.sum);
    });
  }

  /** It was executed: counted for whoever looks at it later. */
  moved(moving: Moving): void {
    for (const { from, to } of this.#pairs(moving)) this.#paid.add(`${from}/${to}`);
    const { id: payout, outside } = moving;
    if (outside?.isOwner) for (const { from } of this.#payers(moving)) this.#paidOut.push({ payout, from, card: outside.card });
    if (!this.rules.some((rule) => this.#covers(rule, moving) && rule.test.by === 'velocity')) return;
    const { platform, kind } = moving;
    const minute = Math.floor(moving.now / MINUTE);
    const whole = this.#whole(moving);
    this.#outflows.push({ platform, account: undefined, kind, amount: whole, minute });
    for (const { from, amount } of this.#payers(moving)) this.#outflows.push({ platform, account: from, kind, amount, minute });
  }

  /** The state afterwards, or the code of the refusal. */
  verdict(id: string, who: string, verdict: 'approve' | 'reject', now: number): string {
    const review = this.open.get(id);
    if (review === undefined) return 'NOT_FOUND';
    if (review.state !== 'open' || review.due <= now) return 'REVIEW_DECIDED';
    if (review.approvers.has(who)) return 'SAME_OPERATOR';
    if (verdict === 'reject') review.state = 'rejected';
    else if (review.approvers.add(who).size === 2) review.state = 'approved';
    return review.state;
  }

  /** Those that end by their deadline. */
  lapse(now: number): string[] {
    const due = [...this.open].filter(([, review]) => review.state === 'open' && review.due <= now);
    for (const [, review] of due) review.state = review.onDeadline === 'execute' ? 'passed' : 'lapsed';
    return due.map(([id]) => id);
  }
}
