import type { ModelAgreement } from './agreements.js';
import type { Model } from './model.js';

/** How agreements come about, told a second time: who has to sign, who may approve, and what nobody can agree on. */

export interface DealLine {
  /** An account, `seller`, `commission`, or the level `level:NAME`. */
  readonly to: string;
  readonly bp: bigint;
  readonly of: 'goods' | 'whole';
  readonly min?: bigint;
  readonly max?: bigint;
}
export interface DealLevel {
  readonly lines: readonly DealLine[];
  readonly rest: string;
}
export type DealLevels = ReadonlyMap<string, DealLevel>;

export interface Offer {
  readonly step: 'offer';
  readonly name: string;
  readonly platform: string;
  readonly seller: string;
  readonly version: number;
  readonly levels: DealLevels;
  /** Hundredths of a percent. */
  readonly cap: bigint;
  readonly profit: bigint;
  readonly from: string;
  readonly until: string | undefined;
  readonly amends: number | undefined;
}
/** One step in the life of a version. `by` is a member of the bank's staff, or of a signature who recorded it. */
export type Deal =
  | Offer
  | { readonly step: 'sign'; readonly name: string; readonly account: string; readonly by: string }
  | { readonly step: 'check' | 'approve' | 'retract'; readonly name: string; readonly by: string };

interface Version extends Offer {
  state: string;
  readonly signed: Set<string>;
  readonly recorders: Set<string>;
  checker: string | undefined;
  ends: string | undefined;
}

const NEVER = '9999-12-31';

export class ModelDeals {
  readonly #model: Model;
  readonly #versions = new Map<string, Version>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** How the version stands afterwards, or why not. */
  take(deal: Deal): string {
    if (deal.step === 'offer') return this.#offer(deal);
    const version = this.#versions.get(deal.name);
    if (version === undefined) return 'NOT_FOUND';
    if (deal.step === 'sign') return sign(version, deal);
    if (deal.step === 'retract') return retract(version);
    return this.#decide(version, deal.step, deal.by);
  }

  #offer(offer: Offer): string {
    const last = this.#of(offer.seller).length;
    const fault = offer.version === last + 1 ? this.#fault(offer) : 'AGREEMENT_VERSION_NOT_NEXT';
    if (fault !== undefined) return fault;
    const more = { state: 'submitted', signed: new Set<string>(), recorders: new Set<string>(), checker: undefined };
    this.#versions.set(offer.name, { ...offer, ...more, ends: offer.until });
    return 'submitted';
  }

  #of(seller: string): Version[] {
    return [...this.#versions.values()].filter((version) => version.seller === seller);
  }

  #approved(seller: string): Version[] {
    return this.#of(seller).filter(({ state }) => state === 'approved');
  }

  /** What keeps it from being agreed on today. */
  #fault(offer: Offer): string | undefined {
    return faultOfLevels(offer.levels) ?? this.#faultOfPeople(offer) ?? faultOfAmounts(offer) ?? this.#faultOfDates(offer);
  }

  #faultOfPeople({ platform, seller, levels }: Offer): string | undefined {
    const isOpen = (id: string) => {
      const account = this.#model.accounts.get(id);
      return account?.platform === platform && account.type === 'sub' && account.state !== 'closed';
    };
    if (!isOpen(seller)) return 'ACCOUNT_NOT_FOUND';
    return namedIn(levels).some((id) => id === seller || !isOpen(id)) ? 'RECEIVER_NOT_ALLOWED' : undefined;
  }

  #faultOfDates({ platform, seller, from, until, amends }: Offer): string | undefined {
    if (from < this.#model.platform(platform).date) return 'AGREEMENT_BACKDATED';
    if ((until !== undefined && until < from) || (amends !== undefined && until === undefined)) return 'AGREEMENT_DATES';
    const meets = this.#approved(seller).filter((other) => other.from <= (until ?? NEVER) && from <= (other.ends ?? NEVER));
    const promotions = meets.filter((other) => other.amends !== undefined);
    if (amends !== undefined) {
      const beneath = this.#approved(seller).find(({ version }) => version === amends);
      const carries =
        beneath?.amends === undefined &&
        beneath !== undefined &&
        beneath.from <= from &&
        (until ?? NEVER) <= (beneath.ends ?? NEVER);
      if (!carries) return 'AGREEMENT_AMENDS';
      return promotions.length > 0 ? 'AGREEMENT_OVERLAPS' : undefined;
    }
    const terms = meets.filter((other) => other.amends === undefined);
    const inTheWay = terms.some((other) => until !== undefined || other.from >= from);
    return inTheWay || (terms.length > 0 && promotions.length > 0) ? 'AGREEMENT_OVERLAPS' : undefined;
  }

  #decide(version: Version, step: 'check' | 'approve', by: string): string {
    if (version.state === 'submitted') return 'RECEIVER_NOT_SIGNED';
    if (version.state !== (step === 'check' ? 'countersigned' : 'checked')) return 'AGREEMENT_STATE';
    if (version.recorders.has(by) || version.checker === by) return 'SAME_OPERATOR';
    const fault = this.#fault(version);
    if (fault !== undefined) return fault;
    if (step === 'check') {
      version.checker = by;
      version.state = 'checked';
      return 'checked';
    }
    for (const other of this.#approved(version.seller))
      if (version.amends === undefined && other.amends === undefined && (other.ends ?? NEVER) >= version.from)
        other.ends = dayBefore(version.from);
    version.state = 'approved';
    this.#bind(version.seller);
    return 'approved';
  }

  /** What orders of this seller go by: a promotion before what it amends. */
  #bind(seller: string): void {
    const all = this.#approved(seller);
    const inOrder = [...all.filter(({ amends }) => amends !== undefined), ...all.filter(({ amends }) => amends === undefined)];
    this.#model.trade.agreements.set(
      seller,
      inOrder.map((version) => boundAs(version, this.#model.platform(version.platform).own.commission as string)),
    );
  }
}

function boundAs({ seller, levels, cap, from, ends }: Version, commission: string): ModelAgreement {
  const { lines } = levels.get('order') as DealLevel;
  const account = (to: string) => (to === 'commission' ? commission : to === 'seller' ? seller : to);
  const shown = lines.map(({ to, bp, of, max }) => ({ to: account(to), bp, of, ...(max === undefined ? {} : { max }) }));
  return { seller, lines: shown, others: cap, from, ...(ends === undefined ? {} : { until: ends }) };
}

const dayBefore = (date: string) => new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);

function sign(version: Version, { account, by }: { readonly account: string; readonly by: string }): string {
  if (version.signed.has(account)) return 'RECEIVER_SIGNED';
  const signers = [version.seller, ...namedIn(version.levels)];
  if (!signers.includes(account)) return 'RECEIVER_NOT_ALLOWED';
  if (version.state !== 'submitted') return 'AGREEMENT_STATE';
  version.signed.add(account);
  version.recorders.add(by);
  if (signers.every((signer) => version.signed.has(signer))) version.state = 'countersigned';
  return version.state;
}

function retract(version: Version): string {
  if (version.state === 'approved') return 'AGREEMENT_STATE';
  version.state = 'withdrawn';
  return 'withdrawn';
}

/** The accounts besides the seller and the platform. */
function namedIn(levels: DealLevels): string[] {
  const all = [...levels.values()].flatMap(({ lines, rest }) => [...lines.map(({ to }) => to), rest]);
  return [...new Set(all)].filter((to) => to !== 'seller' && to !== 'commission' && !to.startsWith('level:'));
}

const DEEPEST = 5;

function faultOfLevels(levels: DealLevels): string | undefined {
  for (const [name, { lines }] of levels) {
    if (lines.reduce((sum, { bp }) => sum + bp, 0n) > 10_000n) return 'RULE_OVER_WHOLE';
    if (new Set(lines.map(({ to }) => to)).size < lines.length) return 'RULE_RECEIVERS';
    if (lines.some(({ min, max }) => min !== undefined && max !== undefined && min > max)) return 'RULE_BOUNDS';
    if (name !== 'order' && lines.some(({ of }) => of === 'goods')) return 'RULE_BASE';
  }
  const below = (name: string) =>
    (levels.get(name)?.lines ?? []).filter(({ to }) => to.startsWith('level:')).map(({ to }) => to.slice('level:'.length));
  if (!levels.has('order') || [...levels.keys()].flatMap(below).some((name) => !levels.has(name))) return 'RULE_LEVEL_UNKNOWN';
  // Whoever walks on for as many steps as there are levels and has not come to an end walks in a circle.
  for (const start of levels.keys()) {
    let here = [start];
    for (let step = 0; step < levels.size; step += 1) here = here.flatMap(below);
    if (here.length > 0) return 'RULE_LEVEL_CYCLE';
  }
  let depth = 0;
  const reached = new Set<string>();
  for (let here = ['order']; here.length > 0; here = here.flatMap(below)) {
    depth += 1;
    for (const name of here) reached.add(name);
  }
  if (depth > DEEPEST) return 'RULE_DEPTH';
  return reached.size < levels.size ? 'RULE_LEVEL_UNREACHABLE' : undefined;
}

/** Tries a small item and a very large one, all goods or all freight: rates reach their worst at one of these. */
function faultOfAmounts({ levels, cap, profit }: Offer): string | undefined {
  const tried = [100_000n, 10n ** 15n].flatMap((whole) => [0n, whole].map((goods) => sharesOf(levels, whole, goods)));
  const beyond = (of: (shares: Map<string, bigint>) => bigint, most: bigint) =>
    tried.some((shares) => of(shares) * 10_000n > most * [...shares.values()].reduce((sum, share) => sum + share, 0n));
  const others = (shares: Map<string, bigint>) =>
    [...shares].reduce((sum, [to, share]) => (to === 'seller' ? sum : sum + share), 0n);
  if (beyond(others, cap)) return 'RULE_CAP';
  return beyond((shares) => shares.get('commission') ?? 0n, profit) ? 'RULE_PROFIT' : undefined;
}

/** Rates alone: minima weigh on small items only, and there the cap cuts them. */
function sharesOf(levels: DealLevels, whole: bigint, goods: bigint): Map<string, bigint> {
  const shares = new Map<string, bigint>();
  const divide = (name: string, amount: bigint) => {
    const { lines, rest } = levels.get(name) as DealLevel;
    let left = amount;
    for (const { to, bp, of, max } of lines) {
      const asked = ((of === 'goods' ? goods : amount) * bp) / 10_000n;
      const bound = max !== undefined && asked > max ? max : asked;
      const given = bound < left ? bound : left;
      left -= given;
      if (to.startsWith('level:')) divide(to.slice('level:'.length), given);
      else shares.set(to, (shares.get(to) ?? 0n) + given);
    }
    shares.set(rest, (shares.get(rest) ?? 0n) + left);
  };
  divide('order', whole);
  return shares;
}
