/**
 * What stands behind a refund after a split, for the plain bank: margins, what is owed to the platform for what it advanced, and who waits.
 * Amounts are minor units, ids bare digits.
 */
export interface ModelDebt {
  readonly refund: string;
  readonly account: string;
  left: bigint;
  readonly amount: bigint;
}

/** Part of an income that went elsewhere. */
export interface ModelDiversion {
  readonly account: string;
  readonly to: string;
  readonly amount: bigint;
  readonly debt?: ModelDebt;
}

export interface ModelWaiting {
  readonly id: string;
  readonly platform: string;
  readonly order: string;
  readonly amount: bigint;
  missing: bigint;
  /** From whom it takes, and the accounts whose credit may help. */
  takesFrom: ReadonlyMap<string, bigint>;
  looksAt: string[];
}

export class Cover {
  /** By sub-account. */
  readonly margins = new Map<string, { readonly account: string; target: bigint }>();
  /** In the order in which they came. */
  readonly debts: ModelDebt[] = [];
  /** By platform. */
  readonly ceilings = new Map<string, bigint>();
  readonly waiting = new Map<string, ModelWaiting>();
  /** By the instruction that brought the income. */
  readonly diverted = new Map<string, ModelDiversion[]>();

  owedBy(account: string): ModelDebt[] {
    return this.debts.filter((debt) => debt.account === account && debt.left > 0n);
  }

  /** @param accountsOf which accounts are of the platform */
  advanced(isOf: (account: string) => boolean): bigint {
    return this.debts.filter((debt) => isOf(debt.account)).reduce((total, debt) => total + debt.left, 0n);
  }

  /** What refunds that came before and wait want of this account; of an order, all that they refund. */
  before(id: string, account: string): bigint {
    const wants = (one: ModelWaiting) => (one.order === account ? one.amount : (one.takesFrom.get(account) ?? 0n));
    return [...this.waiting.values()].reduce((total, one) => total + (one.id < id ? wants(one) : 0n), 0n);
  }

  /** What an income leaves to its receiver, and what of it goes elsewhere. */
  divide(account: string, income: bigint, ownFunds: string, marginBalance: bigint): { left: bigint; parts: ModelDiversion[] } {
    let left = income;
    const parts: ModelDiversion[] = [];
    for (const debt of this.owedBy(account)) {
      const amount = debt.left < left ? debt.left : left;
      if (amount > 0n) parts.push({ account, to: ownFunds, amount, debt });
      left -= amount;
    }
    const margin = this.margins.get(account);
    const lacks = (margin?.target ?? 0n) - marginBalance;
    const fill = lacks < left ? lacks : left;
    if (margin !== undefined && fill > 0n) {
      parts.push({ account, to: margin.account, amount: fill });
      left -= fill;
    }
    return { left, parts };
  }
}

/** In proportion to what each has: fen by fen to whoever is furthest behind his exact share, of equals to the smaller id. */
export function inProportion(amount: bigint, has: ReadonlyMap<string, bigint>): Map<string, bigint> {
  const whole = [...has.values()].reduce((total, part) => total + part, 0n);
  const given = new Map([...has].map(([id, part]) => [id, (amount * part) / whole]));
  const behind = (id: string) => amount * (has.get(id) as bigint) - whole * (given.get(id) as bigint);
  for (let left = amount - [...given.values()].reduce((total, part) => total + part, 0n); left > 0n; left -= 1n) {
    const [next] = [...given.keys()].sort((a, b) => {
      const gap = behind(b) - behind(a);
      return gap === 0n ? (a < b ? -1 : 1) : gap > 0n ? 1 : -1;
    });
    given.set(next as string, (given.get(next as string) as bigint) + 1n);
  }
  return new Map([...given].filter(([, part]) => part > 0n));
}
