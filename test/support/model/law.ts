import { PARAMETERS } from '../../../src/migrations/data/parameters.js';

/**
 * What the law and the customer's will allow, in plain lists: every movement of an electronic account is kept, and sums are made anew each
 * time. Written from the handbook's rules and not from the code.
 */
export interface ModelCustomer {
  stopped: boolean;
  /** Last valid day of the ID. */
  idExpires: string | undefined;
  /** From this moment on his Class III accounts stand still. */
  taskDue: number | undefined;
  documented: boolean;
}

/** Whoever registers, and what those who know him will say. */
export interface Person {
  readonly name: string;
  readonly born: string;
  readonly mobile: string;
  readonly idExpires: string | undefined;
  readonly truth: 'as-named' | 'unknown' | 'another';
}

/** An account that is asked for, on a card of this sort. */
export interface Wanted {
  readonly person: string;
  readonly class: 2 | 3;
  readonly card: string;
  /** Another mobile than the one he was verified with. */
  readonly mobile: string | undefined;
}

interface Moved {
  readonly at: number;
  readonly instruction: string;
  readonly amount: bigint;
  /** With others, so that it counts. */
  readonly counts: boolean;
}

/** A person as he registered; one number is one person, on whatever platform. */
interface ModelPerson {
  readonly customer: string;
  readonly mobile: string;
}

export interface ModelElectronic {
  readonly platform: string;
  readonly customer: string;
  readonly class: 2 | 3;
  faceToFace: boolean;
  state: 'active' | 'blocked' | 'closing' | 'closed';
  /** The six months without use begin here; undefined once it was used. */
  idleSince: number | undefined;
  closedAt?: number;
  funded: boolean;
  /** The first day that has not earned its interest yet. */
  interestFrom: string;
  /** The balance at the end of each business date. */
  readonly dayEnds: Map<string, bigint>;
  moved: Moved[];
}

export interface ModelMandate {
  readonly platform: string;
  readonly account: string;
  readonly kinds: readonly string[];
  readonly orders: boolean;
  readonly projects?: boolean;
  readonly funds?: boolean;
  readonly payees: readonly string[];
  readonly paymentCap: bigint;
  readonly totalCap: bigint;
  readonly period: 'day' | 'month' | undefined;
  readonly periodCap: bigint | undefined;
  readonly expires: number;
  revoked: boolean;
  readonly uses: { at: number; amount: bigint }[];
}

export type Flow = 'bound' | 'unbound' | 'exempt' | 'back' | 'product' | { readonly undoes: string };

export interface Passing {
  readonly account: string;
  /** Positive in, negative out. */
  readonly amount: bigint;
  readonly flow: Flow;
  readonly balanceAfter: bigint;
  /** Payouts and collections of the account that have no result yet. */
  readonly underWay: bigint;
  readonly frozen: boolean;
}

const isNoUse = (flow: Flow) => flow === 'exempt' || flow === 'back';

const dayOf = (ms: number) => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10);
const plusDays = (day: string, days: number) => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
const abs = (amount: bigint) => (amount < 0n ? -amount : amount);
const total = (of: readonly Moved[]) => of.reduce((sum, { amount }) => sum + abs(amount), 0n);

/** Where the owner of an account does his business. */
export type Owner = 'out' | 'counter';

function sleeps({ idleSince }: ModelElectronic, now: number): boolean {
  return idleSince !== undefined && sixMonthsAfter(idleSince) <= dayOf(now);
}

/** What a mandate may stand in for. */
const MANDATED = [
  ...['account-payment', 'top-up', 'fund-subscription', 'fund-redemption', 'pot-payment'],
  ...['bid', 'repayment', 'compensation', 'recovery', 'claim-purchase'],
];

export class Law {
  readonly customers = new Map<string, ModelCustomer>();
  readonly accounts = new Map<string, ModelElectronic>();
  readonly mandates = new Map<string, ModelMandate>();
  /** By name, and by name and platform. */
  readonly persons = new Map<string, ModelPerson>();
  readonly users = new Set<string>();
  readonly #parameters: [name: string, from: string, value: bigint][] = PARAMETERS.map(([name, from, value]) => [
    name,
    from,
    BigInt(value),
  ]);

  setParameter(name: string, from: string, value: bigint): void {
    this.#parameters.push([name, from, value]);
  }

  setCustomer(id: string, { stopped, documented }: { stopped?: boolean; documented?: boolean }): void {
    const customer = this.customers.get(id) as ModelCustomer;
    if (stopped !== undefined) customer.stopped = stopped;
    if (documented) Object.assign(customer, { documented, taskDue: undefined });
  }

  setAccount(id: string, to: { state?: 'active' | 'blocked'; alive?: boolean; faceToFace?: boolean }, now: number): void {
    const account = this.accounts.get(id) as ModelElectronic;
    if (to.state !== undefined) account.state = to.state;
    if (to.alive) account.idleSince = now;
    if (to.faceToFace) account.faceToFace = true;
  }

  revoke(id: string): void {
    (this.mandates.get(id) as ModelMandate).revoked = true;
  }

  value(name: string, now: number): bigint {
    const rows = this.#parameters
      .filter(([of, from]) => of === name && from <= dayOf(now))
      .sort((a, b) => (a[1] < b[1] ? 1 : -1));
    const [row] = rows;
    if (row === undefined) throw new Error(`no parameter ${name} on ${dayOf(now)}`);
    return row[2];
  }

  /** 积数 from where interest was last paid to a day, by the rate of another: all days one by one. */
  earned(account: ModelElectronic, through: string, rateOn: string): { product: bigint; rate: bigint; amount: bigint } {
    const noon = Date.parse(`${rateOn}T12:00:00+08:00`);
    const below = this.value('interest.below-yuan', noon) === 1n;
    let product = 0n;
    let balance = 0n;
    const first = [...account.dayEnds.keys()].sort()[0] ?? through;
    for (let day = first < account.interestFrom ? first : account.interestFrom; day <= through; day = plusDays(day, 1)) {
      balance = account.dayEnds.get(day) ?? balance;
      if (day >= account.interestFrom) product += below ? balance : (balance / 100n) * 100n;
    }
    const rate = this.value('interest.demand', noon);
    return { product, rate, amount: (2n * product * rate + 360_000_000n) / 720_000_000n };
  }

  /** Why somebody is not taken as a customer, or undefined. */
  unfit({ name, born, mobile, idExpires, truth }: Person, now: number): string | undefined {
    const today = dayOf(now);
    const birthday = `${Number(born.slice(0, 4)) + Number(this.value('adult.age', now))}${born.slice(4)}`;
    if (birthday > today) return 'MINOR_NOT_ALLOWED';
    if (idExpires !== undefined && idExpires < today) return 'ID_DOCUMENT_EXPIRED';
    const others = [...this.persons].filter(([other, person]) => other !== name && person.mobile === mobile);
    if (BigInt(others.length) >= this.value('mobile.identities', now)) return 'MOBILE_TAKEN';
    if (truth === 'unknown') return 'IDENTITY_UNKNOWN';
    return truth === 'another' ? 'IDENTITY_NAME_DIFFERS' : undefined;
  }

  /** Why an account is not opened on this card, or undefined. */
  unbindable(
    platform: { id: string; profile: string },
    { person: name, class: of, card, mobile }: Wanted,
    now: number,
  ): string | undefined {
    const person = this.persons.get(name);
    if (person === undefined || !this.users.has(`${platform.id}/${name}`)) return 'NOT_FOUND';
    if (mobile !== undefined && mobile !== person.mobile) return 'MOBILE_DIFFERS';
    const held = [...this.accounts.values()].filter(
      (a) =>
        a.customer === person.customer && a.class === of && (a.state !== 'closed' || dayOf(a.closedAt ?? now) === dayOf(now)),
    );
    if (BigInt(held.length) >= this.value(`class-${of}.accounts`, now)) return 'ACCOUNTS_MAX';
    if (card === 'missing' || card === 'frozen') return 'BOUND_ACCOUNT_UNUSABLE';
    if (card === 'payment') return 'PAYMENT_ACCOUNT_BOUND';
    if (card === 'credit' && platform.profile === 'lending') return 'CREDIT_CARD_BOUND';
    return of === 2 && card !== 'class-1' && card !== 'credit' ? 'BOUND_ACCOUNT_CLASS' : undefined;
  }

  /** Why a movement may not pass, or undefined. */
  forbids({ account: id, amount, flow, balanceAfter, underWay, frozen }: Passing, owner: Owner, now: number): string | undefined {
    const account = this.accounts.get(id);
    if (account === undefined) return undefined;
    const standing = this.standing(account, amount < 0n ? owner : isNoUse(flow) || flow === 'product' ? 'exempt' : 'in', now);
    if (standing !== undefined) return standing;
    if (amount < 0n && frozen) return 'ACCOUNT_FROZEN';
    if (flow === 'product' && account.class === 3) return 'PRODUCT_NOT_ALLOWED';
    if (amount > 0n && flow === 'unbound') {
      if (account.class === 2 && !account.faceToFace) return 'INFLOW_NOT_CONFIRMED';
      if (account.class === 3 && !account.funded) return 'INFLOW_NOT_ACTIVATED';
    }
    if (flow === 'unbound') {
      const way = amount < 0n ? 'out' : 'in';
      for (const period of ['day', 'year'] as const) {
        const used = total(
          this.#counted(account, id, now).filter((m) => m.amount < 0n === amount < 0n && same(m.at, now, period)),
        );
        if (used + abs(amount) > this.value(`class-${account.class}.${way}.${period}`, now))
          return `LIMIT_${way}_${period}`.toUpperCase();
      }
    }
    const most = balanceAfter + underWay;
    if (amount > 0n && flow !== 'back' && account.class === 3 && most > this.value('class-3.balance', now)) return 'BALANCE_CAP';
    return undefined;
  }

  standing(account: ModelElectronic, way: 'in' | 'exempt' | Owner, now: number): string | undefined {
    const customer = this.customers.get(account.customer) as ModelCustomer;
    if (account.state === 'closed') return 'ACCOUNT_CLOSED';
    if (way === 'exempt') return undefined;
    if (account.state === 'closing') return 'ACCOUNT_CLOSING';
    if (account.state === 'blocked') return 'ACCOUNT_BLOCKED';
    if (way === 'counter') return customer.stopped ? 'CUSTOMER_STOPPED' : undefined;
    if (account.class === 3 && customer.taskDue !== undefined && now >= customer.taskDue) return 'CUSTOMER_STOPPED';
    if (way === 'in' && this.value('stopped.credits', now) === 1n) return undefined;
    if (customer.stopped) return 'CUSTOMER_STOPPED';
    const grace = Number(this.value('id-expiry.grace-days', now));
    if (customer.idExpires !== undefined && plusDays(customer.idExpires, grace) < dayOf(now)) return 'ID_DOCUMENT_EXPIRED';
    return sleeps(account, now) ? 'ACCOUNT_DORMANT' : undefined;
  }

  /** A movement was made. */
  made({ account: id, amount, flow }: Passing, instruction: string, now: number): void {
    const account = this.accounts.get(id);
    if (account === undefined || isNoUse(flow)) {
      return;
    }
    if (!sleeps(account, now)) account.idleSince = undefined;
    if (typeof flow === 'object') {
      // Undone on its own day, it is as if it had not been; later, it has been.
      account.moved = account.moved.filter((m) => !(m.instruction === flow.undoes && dayOf(m.at) === dayOf(now)));
      return;
    }
    if (flow === 'bound' && amount > 0n) account.funded = true;
    account.moved.push({ at: now, instruction, amount, counts: flow === 'unbound' });
    const customer = this.customers.get(account.customer) as ModelCustomer;
    if (account.class !== 3 || customer.documented || customer.taskDue !== undefined) return;
    const all = [...this.accounts.values()].filter((other) => other.customer === account.customer && other.class === 3);
    if (total(all.flatMap(({ moved }) => moved)) < this.value('class-3.turnover', now)) return;
    const due = plusDays(dayOf(now), Number(this.value('class-3.turnover.days', now)) + 1);
    customer.taskDue = Date.parse(`${due}T00:00:00+08:00`);
  }

  /** Movements with others: of this account or, where the bank set it so, of all accounts of its class that the owner has. */
  #counted(account: ModelElectronic, id: string, now: number): Moved[] {
    const together = this.value('limits.per-customer', now) === 1n;
    return [...this.accounts]
      .filter(([other, { customer, class: of }]) =>
        together ? customer === account.customer && of === account.class : other === id,
      )
      .flatMap(([, { moved }]) => moved.filter((m) => m.counts));
  }

  /** The most that a mandate still lets be taken in one debit, where so much of it is spoken for already. */
  quotaOf(
    { revoked, expires, paymentCap, totalCap, period, periodCap, uses }: ModelMandate,
    now: number,
    spoken: bigint,
  ): bigint {
    if (revoked || now >= expires) return 0n;
    const used = (within: (at: number) => boolean) =>
      uses.reduce((sum, { at, amount }) => (within(at) ? sum + amount : sum), spoken);
    const rooms = [paymentCap, totalCap - used(() => true)];
    if (period !== undefined && periodCap !== undefined) rooms.push(periodCap - used((at) => same(at, now, period)));
    const room = rooms.reduce((least, each) => (each < least ? each : least));
    return room > 0n ? room : 0n;
  }

  /** Whether a mandate covers a debit; if so the use is counted by `use`. */
  uncovered(
    id: string,
    of: {
      platform: string;
      kind: string;
      account: string;
      amount: bigint;
      order?: string;
      payee?: string;
      project?: string;
      fund?: string;
    },
    now: number,
  ) {
    const mandate = this.mandates.get(id);
    if (mandate?.platform !== of.platform) return 'MANDATE_NOT_FOUND';
    if (!MANDATED.includes(of.kind)) return 'MANDATE_NOT_ENOUGH';
    if (mandate.revoked || now >= mandate.expires) return 'MANDATE_ENDED';
    if (!mandate.kinds.includes(of.kind) || mandate.account !== of.account || !named(mandate, of)) return 'MANDATE_SCOPE';
    const used = (within: (at: number) => boolean) =>
      mandate.uses.reduce((sum, { at, amount }) => (within(at) ? sum + amount : sum), 0n);
    const { period, periodCap } = mandate;
    const passes =
      of.amount <= mandate.paymentCap &&
      used(() => true) + of.amount <= mandate.totalCap &&
      (period === undefined || periodCap === undefined || used((at) => same(at, now, period)) + of.amount <= periodCap);
    return passes ? undefined : 'MANDATE_EXCEEDED';
  }
}

/** Whether a mandate names whoever gets the money. */
function named(
  mandate: ModelMandate,
  of: { account: string; order?: string; payee?: string; project?: string; fund?: string },
): boolean {
  if (of.order !== undefined) return mandate.orders;
  if (of.project !== undefined) return mandate.projects === true;
  if (of.fund !== undefined) return mandate.funds === true;
  return of.payee === of.account || mandate.payees.includes(of.payee ?? '');
}

function same(a: number, b: number, period: 'day' | 'month' | 'year'): boolean {
  const length = { day: 10, month: 7, year: 4 }[period];
  return dayOf(a).slice(0, length) === dayOf(b).slice(0, length);
}

function sixMonthsAfter(ms: number): string {
  const [year, month, day] = dayOf(ms).split('-').map(Number) as [number, number, number];
  const lastDay = new Date(Date.UTC(year, month + 6, 0)).getUTCDate();
  return new Date(Date.UTC(year, month + 5, Math.min(day, lastDay))).toISOString().slice(0, 10);
}
