import { TEMPLATES } from '../../../src/escrow/index.js';
import type { Given } from '../given.js';
import {
  amountOf,
  bare,
  type Condition,
  DAY,
  datesIn,
  daysIn,
  divide,
  type EscrowHands,
  type ModelDeal,
  type ModelDealTerms,
  type ModelEnding,
  type ModelLine,
  type ModelStage,
  moment,
  proportional,
  rolesIn,
  rowOf,
  sum,
} from './escrow-deals.js';

interface EscrowData {
  readonly escrow: string;
  readonly orderNo: string;
  readonly stage?: string;
  readonly amount: { readonly amount: number };
  readonly from?: string;
}

const dataOf = ({ data }: Given) => data as unknown as EscrowData;

/**
 * Deals for the plain bank: it goes through all moments at which something may have become true, one after the other, and asks of each what
 * is so then. The templates are data and read as they are; everything else is written from their story. Ids are bare digits, amounts minor
 * units, times milliseconds.
 */
export class Escrows {
  readonly deals = new Map<string, ModelDeal>();
  /** Orders of deals, by platform/number. */
  readonly orders = new Map<string, ModelDeal>();
  readonly #hands: EscrowHands;

  constructor(hands: EscrowHands) {
    this.#hands = hands;
  }

  /** Answers the code of the refusal; undefined: opened. */
  open(id: string, platform: string, terms: ModelDealTerms): string | undefined {
    const template = TEMPLATES.get(terms.template);
    if (template === undefined) return 'ESCROW_TEMPLATE_UNKNOWN';
    for (const role of Object.keys(terms.parties))
      if (!template.roles.some((each) => each.role === role)) return 'ESCROW_PARTIES';
    for (const { role, does } of template.roles) {
      const account = terms.parties[role];
      if (does.includes('many') ? account !== undefined : account === undefined) return 'ESCROW_PARTIES';
      if (does.includes('receives') && account === '') return 'ESCROW_PARTIES';
    }
    const needed = [...template.amounts, ...template.dates, ...template.counts].map(({ name }) => name).sort();
    const said = [terms.amounts, terms.dates, terms.counts].flatMap(Object.keys).sort();
    if (needed.join() !== said.join()) return 'ESCROW_TERMS';
    const stages = template.stages.flatMap((of) => {
      const times = of.repeat === undefined ? 1 : (terms.counts[of.repeat] as number);
      return Array.from({ length: times }, (_, place): ModelStage => {
        const key = of.repeat === undefined ? of.key : `${of.key}-${place + 1}`;
        return {
          key,
          place,
          of,
          amount: amountOf(template, terms, of, place),
          paid: new Map(),
          fundedAt: undefined,
          end: undefined,
        };
      });
    });
    const deal = { id, platform, terms, template, stages, opened: this.#hands.now() };
    if (stages.some((stage) => stage.amount < 1n || moment(deal, stage.of.fundBy, stage.place) <= deal.opened))
      return 'ESCROW_TERMS';
    const lines = [
      ...template.stages.flatMap(({ pay, otherwise }) => (otherwise === 'review' ? pay : [...pay, ...otherwise])),
      ...template.exits.flatMap(({ rows }) => rows.flatMap(({ pay }) => pay)),
    ];
    for (const { role, does } of template.roles) {
      const account = terms.parties[role] ?? '';
      if (account !== '' && this.#hands.isEnding(account)) return 'ACCOUNT_NOT_FOUND';
      const named = lines.every(({ to, take }) => to !== role || (typeof take === 'object' && 'fixed' in take));
      const receives = does.includes('receives');
      if (this.#hands.isCommission(platform, account) && !(receives && named)) return 'ESCROW_PARTIES';
      const lacks = receives ? this.#hands.lacksAgreement(platform, account) : undefined;
      if (lacks !== undefined) return lacks;
    }
    this.deals.set(id, { ...deal, said: [], decided: [], back: new Map(), notBefore: 0 });
    return undefined;
  }

  /** A deal that is not over may have something for who receives on this account. */
  mayCredit(account: string): boolean {
    return [...this.deals.values()].some(({ terms, template, stages, back }) => {
      const receives = template.roles.some(({ role, does }) => does.includes('receives') && terms.parties[role] === account);
      const isOver = stages.every(({ end }) => end !== undefined) && [...back.values()].every(({ all, sent }) => sent >= all);
      return receives && !isOver;
    });
  }

  /** `given`, or the code of the refusal. */
  confirm(id: string, item: string, role: string, by: string): string {
    const deal = this.deals.get(id);
    if (deal === undefined) return 'ESCROW_NOT_FOUND';
    if (deal.said.some((each) => each.item === item && each.role === role)) return 'given';
    const objection = item.endsWith(':objection');
    const key = item.replace(':objection', '');
    const stage = deal.stages.find((each) => each.key === key);
    const exit = deal.template.exits.find((each) => each.key === item);
    if (stage === undefined && exit === undefined && item !== 'accept') return 'ESCROW_ITEM_UNKNOWN';
    const roles =
      item === 'accept'
        ? deal.template.roles.filter((each) => each.accepts).map((each) => each.role)
        : objection
          ? (stage?.of.objects ?? [])
          : rolesIn((exit ?? stage?.of)?.when as Condition);
    if (!roles.includes(role)) return 'ESCROW_WRONG_PARTY';
    if (deal.stages.every((each) => this.#ending(deal, each) !== undefined)) return 'ESCROW_ENDED';
    if (stage !== undefined) {
      if (this.#ending(deal, stage) !== undefined) return 'ESCROW_STAGE_ENDED';
      const now = this.#hands.now();
      if (!this.#isOpen(deal, stage, now)) return 'ESCROW_STAGE_NOT_OPEN';
      if (this.#isLeftToBank(deal, stage, now)) return 'ESCROW_STAGE_ENDED';
    }
    if (deal.said.some((each) => each.by === by && each.role !== role)) return 'SAME_OPERATOR';
    deal.said.push({ item, role, by, at: this.#hands.now() });
    deal.notBefore = 0;
    return 'given';
  }

  /** `approved`, or the code of the refusal. */
  decide(id: string, item: string, lines: { to: string; amount: bigint | 'rest' }[] | null, alone: boolean): string {
    const deal = this.deals.get(id);
    if (deal === undefined) return 'ESCROW_NOT_FOUND';
    const stage = deal.stages.find((each) => each.key === item);
    const exit = deal.template.exits.find((each) => each.key === item);
    if (stage === undefined && exit === undefined) return 'ESCROW_ITEM_UNKNOWN';
    if (deal.stages.every((each) => each.end !== undefined)) return 'ESCROW_ENDED';
    const over = stage && this.#ending(deal, stage);
    const waits = stage !== undefined && lines !== null && this.#waitsForDispute(deal, stage);
    if (over !== undefined && !waits) return 'ESCROW_STAGE_ENDED';
    if (lines === null && !JSON.stringify((exit ?? stage?.of)?.when).includes('"review":true')) return 'ESCROW_NO_REVIEW';
    if (lines !== null && stage === undefined) return 'ESCROW_NO_REVIEW';
    if (lines?.some(({ to }) => to !== 'payers' && !deal.terms.parties[to])) return 'ESCROW_PARTIES';
    if (alone) return 'SAME_OPERATOR';
    deal.decided.push({ item, lines, at: this.#hands.now() });
    deal.notBefore = 0;
    return 'approved';
  }

  /** What the system has to instruct now, in the words of the scenarios. */
  due(): string[] {
    return [...this.deals.values()].flatMap((deal) => {
      if (deal.notBefore > this.#hands.now()) return [];
      const stages = deal.stages.flatMap((stage) => {
        const ending = stage.end === undefined ? this.#ending(deal, stage) : undefined;
        return ending === undefined ? [] : [`${ending.how === 'met' ? 'release' : 'fail'} ${deal.id} ${stage.key}`];
      });
      const orders = [...deal.back].filter(([, { all, sent }]) => all > sent);
      return [...stages, ...orders.map(([order]) => `back ${deal.id} order:${order.slice(order.indexOf('/') + 1)}`)];
    });
  }

  /** What the words of `due` instruct. */
  instructed(words: string): Pick<Given, 'platform' | 'kind' | 'data'> {
    const [verb = '', id = '', what = ''] = words.split(' ');
    const kind = { release: 'escrow-release', fail: 'escrow-failure', back: 'escrow-refund' }[verb] ?? '';
    const of = verb === 'back' ? { orderNo: what.slice(6) } : { stage: what };
    return {
      platform: this.deals.get(id)?.platform ?? '',
      kind,
      data: { escrow: `esc_${id}`, ...of } as unknown as Given['data'],
    };
  }

  /** Whether the data name an order of a deal that this kind must not touch. */
  binds({ kind, platform, data }: Given): boolean {
    if (kind.startsWith('escrow-')) return false;
    const { orderNo, to, account } = data as { orderNo?: string; to?: { orderNo?: string } | string; account?: string };
    const number = orderNo ?? (typeof to === 'object' ? to.orderNo : undefined);
    if (number === undefined || !this.orders.has(`${platform}/${number}`)) return false;
    return kind !== 'dispute-open' || account !== undefined;
  }

  readonly rules: Readonly<Record<string, (given: Given) => void>> = {
    'escrow-payment': (given) => {
      if ((given.data as { payer?: { account: string } }).payer?.account === '') this.#hands.no('REFUND_ACCOUNT_MISSING');
      this.#pay(given, () => this.#hands.fundOutside(given, dataOf(given).orderNo));
    },
    'escrow-funding': (given) => {
      this.#hands.checkFrom(given);
      this.#pay(given, () => this.#hands.fundInside(given, dataOf(given).orderNo));
    },
    'escrow-release': (given) => this.#again(given, () => this.#end(given, true)),
    'escrow-failure': (given) => this.#again(given, () => this.#end(given, false)),
    'escrow-refund': (given) => this.#again(given, () => this.#giveBack(given)),
  };

  /** What the system was refused it does not try again for a while. */
  #again(given: Given, work: () => void): void {
    try {
      work();
    } catch (no) {
      const deal = this.deals.get(bare(dataOf(given).escrow));
      if (given.origin === 'S' && deal !== undefined) deal.notBefore = this.#hands.now() + 10 * 60_000;
      throw no;
    }
  }

  #deal(given: Given): ModelDeal {
    const deal = this.deals.get(bare(dataOf(given).escrow));
    return deal?.platform === given.platform ? deal : this.#hands.no('ESCROW_NOT_FOUND');
  }

  #pay(given: Given, move: () => void): void {
    const { orderNo, stage: named, amount, from } = dataOf(given);
    const deal = this.#deal(given);
    const { no } = this.#hands;
    const key = `${given.platform}/${orderNo}`;
    if (this.#hands.order(given, orderNo) !== undefined && this.orders.get(key) !== deal) no('ESCROW_ORDER_TAKEN');
    const payer = deal.template.roles.find(({ does }) => does.includes('pays'));
    const bound = deal.terms.parties[payer?.role ?? ''] ?? '';
    if (bound !== '' && bound !== (from === undefined ? '' : bare(from))) no('ESCROW_PAYER_WRONG');
    if (from !== undefined && this.#hands.isMerchant(bare(from)) && (bound === '' || payer?.accepts !== true))
      no('ESCROW_PAYER_WRONG');
    const others = [...this.orders].filter(([order, of]) => of === deal && order !== key).length;
    if (others > 0 && !payer?.does.includes('many')) no('ESCROW_PAYER_WRONG');
    const now = this.#hands.now();
    if (deal.stages.every((stage) => stage.end !== undefined)) no('ESCROW_ENDED');
    for (const { role, accepts } of deal.template.roles)
      if (accepts && !deal.said.some((each) => each.item === 'accept' && each.role === role)) no('ESCROW_NOT_ACCEPTED');
    const wanted = deal.stages.filter(({ key: each }) => named === undefined || each === named);
    if (wanted.length === 0) no('ESCROW_ITEM_UNKNOWN');
    const inTime = (stage: ModelStage) => now < moment(deal, stage.of.fundBy, stage.place);
    const open = wanted.filter((stage) => inTime(stage) && this.#ending(deal, stage) === undefined);
    if (open.length === 0) {
      const late = wanted.some((stage) => this.#ending(deal, stage)?.how === 'unpaid') || !wanted.some(inTime);
      no(late ? 'ESCROW_LATE' : 'ESCROW_STAGE_ENDED');
    }
    let left = BigInt(amount.amount);
    const parts: [ModelStage, bigint][] = [];
    for (const stage of open) {
      const room = stage.of.amount.atLeast ? 2n ** 53n : stage.amount - sum(stage.paid.values());
      const part = left < room ? left : room;
      if (part > 0n) parts.push([stage, part]);
      left -= part;
    }
    if (left > 0n) no('ESCROW_OVERFUNDED');
    move();
    this.orders.set(key, deal);
    for (const [stage, part] of parts) {
      stage.paid.set(key, (stage.paid.get(key) ?? 0n) + part);
      if (sum(stage.paid.values()) >= stage.amount) stage.fundedAt ??= now;
    }
  }

  #end(given: Given, isMet: boolean): void {
    const deal = this.#deal(given);
    const { no } = this.#hands;
    const stage = deal.stages.find(({ key }) => key === dataOf(given).stage) ?? no('ESCROW_ITEM_UNKNOWN');
    if (stage.end !== undefined) no('ESCROW_STAGE_ENDED');
    const ending = this.#ending(deal, stage);
    if ((ending?.how === 'met') !== isMet || ending === undefined) no(isMet ? 'ESCROW_CONDITION_UNMET' : 'ESCROW_NOT_FAILED');
    const { how, at, lines } = ending as { how: string; at: number; lines: readonly ModelLine[] };
    const whole = sum(stage.paid.values());
    const gets = divide(deal, lines, whole);
    const orders = [...stage.paid].map(([order, paid]) => ({ order, account: this.#account(deal, order), paid }));
    orders.sort((a, b) => (a.account < b.account ? -1 : 1));
    const backs = proportional(
      gets.get('payers') ?? 0n,
      orders.map(({ paid }) => paid),
    );
    const takes = orders.map(({ order, paid }, place) => ({ orderNo: order, left: paid - (backs[place] as bigint) }));
    const gives = new Map<string, bigint>();
    const shares: [string, string, bigint][] = [];
    for (const [role, amount] of gets) {
      if (role === 'payers') continue;
      const to = deal.terms.parties[role] as string;
      gives.set(to, (gives.get(to) ?? 0n) + amount);
      let rest = amount;
      for (const take of takes) {
        const part = take.left < rest ? take.left : rest;
        if (part === 0n) continue;
        take.left -= part;
        rest -= part;
        shares.push([take.orderNo, to, part]);
      }
    }
    for (const to of [...gives.keys()]) if (gives.get(to) === 0n) gives.delete(to);
    const taken = orders.map(({ order }) => {
      return { orderNo: order, amount: sum(shares.filter(([from]) => from === order).map(([, , part]) => part)) };
    });
    for (const { orderNo, amount } of taken) {
      const { claimed, there } = this.#hands.free(this.#account(deal, orderNo));
      if (amount > 0n && claimed > 0n && there < amount) no('ESCROW_DISPUTED');
    }
    this.#hands.release(given, { takes: taken.filter(({ amount }) => amount > 0n), gives, shares });
    stage.end = { how, at };
    for (const [place, { order }] of orders.entries()) {
      const back = deal.back.get(order) ?? { all: 0n, sent: 0n };
      deal.back.set(order, { ...back, all: back.all + (backs[place] as bigint) });
    }
  }

  #account(deal: ModelDeal, order: string): string {
    const orderNo = order.slice(order.indexOf('/') + 1);
    return this.#hands.order({ platform: deal.platform } as Given, orderNo)?.account ?? '';
  }

  #giveBack(given: Given): void {
    const deal = this.#deal(given);
    const { orderNo } = dataOf(given);
    const key = `${given.platform}/${orderNo}`;
    const order = this.#hands.order(given, orderNo);
    if (order === undefined || this.orders.get(key) !== deal) {
      this.#hands.no('ORDER_NOT_FOUND');
      return;
    }
    const back = deal.back.get(key) ?? { all: 0n, sent: 0n };
    const amount = back.all - order.refunded;
    if (amount <= 0n) this.#hands.no('ESCROW_NOTHING_BACK');
    const { claimed, there } = this.#hands.free(order.account);
    if (claimed > 0n && there < amount) this.#hands.no('ESCROW_DISPUTED');
    this.#hands.refund(given, orderNo, amount);
    deal.back.set(key, { ...back, sent: back.all });
  }

  /** The first moment, up to now, at which a stage ended, and what that makes of its money. */
  /** What receivers are to get is disputed, so that the bank can divide the stage although its moment has come. */
  #waitsForDispute(deal: ModelDeal, stage: ModelStage): boolean {
    const ending = this.#ending(deal, stage);
    if (stage.end !== undefined || ending?.how === 'decided' || !ending?.lines.some(({ to }) => to !== 'payers')) return false;
    return [...stage.paid].some(([order, paid]) => {
      const { claimed, there } = this.#hands.free(this.#account(deal, order));
      return claimed > 0n && there < paid;
    });
  }

  #ending(deal: ModelDeal, stage: ModelStage): ModelEnding | undefined {
    if (stage.end !== undefined) return { ...stage.end, lines: [] };
    const first = this.#firstEnding(deal, stage);
    const decided = deal.decided.find(({ item, lines }) => item === stage.key && lines !== null);
    if (first === undefined || !decided?.lines || decided.at <= first.at) return first;
    return { how: 'decided', at: decided.at, lines: decided.lines.map(({ to, amount }) => ({ to, take: amount })) };
  }

  #firstEnding(deal: ModelDeal, stage: ModelStage): ModelEnding | undefined {
    const back: ModelLine[] = [{ to: 'payers', take: 'rest' }];
    for (const at of this.#moments(deal)) {
      const { of } = stage;
      const by = of.by === undefined ? Number.POSITIVE_INFINITY : moment(deal, of.by, stage.place);
      const isOpen = this.#isOpen(deal, stage, at);
      const isLeft = this.#isLeftToBank(deal, stage, at, at - 1);
      if (isOpen && at < by && !isLeft && this.#isTrue(deal, of.when, { item: stage.key, stage, at }))
        return { how: 'met', at, lines: of.pay };
      if (isOpen && at >= by && of.otherwise !== 'review' && !isLeft) return { how: 'failed', at, lines: of.otherwise };
      if (at >= moment(deal, of.fundBy, stage.place) && (stage.fundedAt ?? Number.POSITIVE_INFINITY) > at)
        return { how: 'unpaid', at, lines: back };
      const before = deal.stages.find(({ key }) => key === of.after);
      const how = before && this.#endedBy(deal, before, at);
      if (before !== undefined && how !== undefined && !['met', 'decided', 'exited'].includes(how) && !before.of.failsAlone)
        return { how: 'cancelled', at, lines: back };
      const exit = deal.template.exits.find(({ key, when }) => this.#isTrue(deal, when, { item: key, at }));
      if (exit !== undefined) return { how: 'exited', at, lines: rowOf(deal, exit, at) };
      const decided = deal.decided.find(({ item, lines, at: when }) => item === stage.key && lines !== null && when <= at);
      if (decided?.lines) return { how: 'decided', at, lines: decided.lines.map(({ to, amount }) => ({ to, take: amount })) };
    }
    return undefined;
  }

  #endedBy(deal: ModelDeal, stage: ModelStage, at: number): string | undefined {
    const ending = this.#firstEnding(deal, stage);
    return ending !== undefined && ending.at <= at ? ending.how : undefined;
  }

  #isOpen(deal: ModelDeal, stage: ModelStage, at: number): boolean {
    if (stage.fundedAt === undefined || stage.fundedAt > at) return false;
    const before = deal.stages.find(({ key }) => key === stage.of.after);
    if (before === undefined) return true;
    const how = this.#endedBy(deal, before, at);
    return how !== undefined && (['met', 'decided'].includes(how) || before.of.failsAlone);
  }

  /** It is too late for its parties, or one of them objected. */
  #isLeftToBank(deal: ModelDeal, stage: ModelStage, at: number, objectedBy = at): boolean {
    const { of } = stage;
    const late = of.otherwise === 'review' && of.by !== undefined && moment(deal, of.by, stage.place) <= at;
    return late || deal.said.some((each) => each.item === `${stage.key}:objection` && each.at <= objectedBy);
  }

  #isTrue(deal: ModelDeal, of: Condition, when: { item: string; stage?: ModelStage; at: number }): boolean {
    const { item, stage, at } = when;
    if ('date' in of) return moment(deal, of, stage?.place ?? 0) <= at;
    if ('confirmed' in of) {
      const roles = new Set(deal.said.filter((each) => each.item === item && each.at <= at).map(({ role }) => role));
      return of.confirmed.filter((role) => roles.has(role)).length >= (of.quorum ?? of.confirmed.length);
    }
    if ('review' in of) return deal.decided.some((each) => each.item === item && each.lines === null && each.at <= at);
    if ('all' in of) return of.all.every((each) => this.#isTrue(deal, each, when));
    if ('any' in of) return of.any.some((each) => this.#isTrue(deal, each, when));
    const { since } = of;
    const first = this.#moments(deal).find((then) =>
      since === 'open'
        ? stage !== undefined && this.#isOpen(deal, stage, then)
        : this.#isTrue(deal, since, { ...when, at: then }),
    );
    return first !== undefined && first + of.days * DAY <= at;
  }

  /** All moments up to now at which something may have changed. */
  #moments(deal: ModelDeal): number[] {
    const dates: number[] = [];
    for (const { of, place } of deal.stages) {
      for (const each of [of.fundBy, ...(of.by === undefined ? [] : [of.by]), ...datesIn(of.when)])
        dates.push(moment(deal, each, place));
    }
    const events = [deal.opened, ...dates, ...deal.said.map(({ at }) => at), ...deal.decided.map(({ at }) => at)];
    for (const { fundedAt } of deal.stages) if (fundedAt !== undefined) events.push(fundedAt);
    const days = deal.template.stages.flatMap(({ when }) => daysIn(when));
    const later = events.flatMap((at) => days.map((each) => at + each * DAY));
    return [...new Set([...events, ...later])].filter((at) => at <= this.#hands.now()).sort((a, b) => a - b);
  }
}
