import { BALANCE_MAX, type Id, type Instant, invariant, type Minor, type Refusal, refuse } from '../kernel/index.js';
import { sharesOf, takenBy } from './plan.js';
import { type Deal, endingOf, type Fund, hasEnded, notAccepted, partyOf, type StageEnd, stageOf } from './rules.js';

/** Most orders that one deal may have: as many as one instruction can carry. */
export const ORDERS_MAX = 1_000;

/** What a payment brings to which stages. */
export interface FundedPart {
  readonly stage: string;
  readonly amount: Minor;
}

/**
 * For which stages an amount is: the one that is named, else those that still lack money, in their order.
 * @returns ESCROW_ENDED, ESCROW_NOT_ACCEPTED, ESCROW_ITEM_UNKNOWN, ESCROW_LATE, ESCROW_STAGE_ENDED, ESCROW_OVERFUNDED
 */
export function partsOf(
  deal: Deal,
  of: { readonly amount: Minor; readonly stage: string | undefined; readonly nowMs: Instant },
): Refusal | readonly FundedPart[] {
  if (deal.endedMs !== null) return refuse('ESCROW_ENDED');
  const missing = notAccepted(deal);
  if (missing.length > 0) return refuse('ESCROW_NOT_ACCEPTED', undefined, { parties: missing });
  if (of.stage !== undefined && stageOf(deal, of.stage) === undefined)
    return refuse('ESCROW_ITEM_UNKNOWN', undefined, { item: of.stage });
  const named = deal.plan.stages.filter(({ key }) => of.stage === undefined || key === of.stage);
  const open = named.filter(({ key, fundBy }) => fundBy > of.nowMs && !hasEnded(deal, key, of.nowMs));
  if (open.length === 0) {
    const isLate =
      named.some(({ key }) => endingOf(deal, key)?.how === 'unpaid') || named.every(({ fundBy }) => fundBy <= of.nowMs);
    return isLate ? refuse('ESCROW_LATE') : refuse('ESCROW_STAGE_ENDED');
  }
  const parts: FundedPart[] = [];
  let left = of.amount;
  for (const { key, amount, atLeast } of open) {
    const funded = stageOf(deal, key)?.state.funded ?? 0n;
    const room = (atLeast ? BALANCE_MAX : amount) - funded;
    const part = room < left ? room : left;
    if (part <= 0n) continue;
    parts.push({ stage: key, amount: part });
    left -= part;
  }
  if (left === 0n) return parts;
  return refuse('ESCROW_OVERFUNDED', undefined, { room: String(of.amount - left) });
}

/** The deal with what came in. */
export function withFunded(deal: Deal, parts: readonly FundedPart[], nowMs: Instant): Deal {
  const stages = deal.stages.map((state) => {
    const part = parts.find(({ stage }) => stage === state.key);
    if (part === undefined) return state;
    const funded = state.funded + part.amount;
    const isWhole = funded >= (stageOf(deal, state.key)?.stage.amount ?? 0n);
    return { ...state, funded, fundedMs: state.fundedMs ?? (isWhole ? nowMs : null) };
  });
  return { ...deal, stages };
}

/** What each order brought, with these parts of one order. */
export function withParts(
  funds: readonly Fund[],
  order: Pick<Fund, 'orderId' | 'orderNo'>,
  parts: readonly FundedPart[],
): Fund[] {
  const after = [...funds];
  for (const { stage, amount } of parts) {
    const place = after.findIndex((fund) => fund.orderId === order.orderId && fund.stage === stage);
    const before = after[place];
    if (before === undefined) after.push({ ...order, stage, amount, released: 0n, back: 0n, sent: 0n });
    else after[place] = { ...before, amount: before.amount + amount };
  }
  return after;
}

/** What one order gives to one account. */
export interface Passing {
  readonly orderId: Id;
  readonly account: Id;
  readonly amount: Minor;
}

export interface EndedStage {
  readonly deal: Deal;
  readonly funds: readonly Fund[];
  /** What goes to receivers now; what goes back to payers stays on its order until it is sent. */
  readonly passings: readonly Passing[];
}

/**
 * Ends a stage as `endingOf` says. Every fen that came in for it is either let go or goes back, to the payer whose it was.
 * @param of its ending has come
 */
export function endStage(
  deal: Deal,
  funds: readonly Fund[],
  of: { readonly stage: string; readonly instruction: Id; readonly nowMs: Instant },
): EndedStage {
  const found = stageOf(deal, of.stage);
  const ending = endingOf(deal, of.stage);
  invariant(found && ending && found.state.end === null, `the stage ${of.stage} of ${deal.id} ends now`);
  const taken = takenBy(ending.lines, found.state.funded);
  const mine = funds.filter(({ stage }) => stage === of.stage).sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
  const backs = sharesOf(
    taken.get('payers') ?? 0n,
    mine.map(({ amount }) => amount),
  );
  const ended = mine.map((fund, place) => ({ ...fund, back: backs[place] ?? 0n, released: fund.amount - (backs[place] ?? 0n) }));
  const receivers = [...taken].filter(([to, amount]) => to !== 'payers' && amount > 0n);
  const end: StageEnd = {
    ...{ how: ending.how, atMs: ending.atMs, instruction: of.instruction, postedMs: of.nowMs },
    paid: [...taken].filter(([, amount]) => amount > 0n).map(([to, amount]) => ({ to, amount })),
  };
  const stages = deal.stages.map((state) => (state.key === of.stage ? { ...state, end } : state));
  const isOver = stages.every((state) => state.end !== null);
  return {
    deal: { ...deal, stages, endedMs: isOver ? of.nowMs : null },
    funds: funds.map((fund) => ended.find(({ orderId, stage }) => orderId === fund.orderId && stage === fund.stage) ?? fund),
    passings: passed(
      ended.map(({ orderId, released }) => ({ orderId, left: released })),
      receivers.map(([role, amount]) => ({ account: accountOf(deal, role), amount })),
    ),
  };
}

function accountOf(deal: Deal, role: string): Id {
  const account = partyOf(deal, role)?.account;
  invariant(account, `${role} of ${deal.id} has an account`);
  return account;
}

/** Hands out what orders let go, one after the other. Both sides have the same sum. */
function passed(
  from: { readonly orderId: Id; left: Minor }[],
  to: readonly { readonly account: Id; readonly amount: Minor }[],
): Passing[] {
  const passings: Passing[] = [];
  let place = 0;
  for (const { account, amount } of to) {
    for (let wanted = amount; wanted > 0n; ) {
      const order = from[place];
      invariant(order, 'orders let go what receivers get');
      const part = order.left < wanted ? order.left : wanted;
      if (part > 0n) passings.push({ orderId: order.orderId, account, amount: part });
      order.left -= part;
      wanted -= part;
      if (order.left === 0n) place += 1;
    }
  }
  invariant(
    from.every(({ left }) => left === 0n),
    'receivers get what orders let go',
  );
  return passings;
}

/** What of an order goes back to its payer in all. */
export function backOf(funds: readonly Fund[], orderId: Id): Minor {
  return funds.reduce((sum, fund) => (fund.orderId === orderId ? sum + fund.back : sum), 0n);
}

/** The orders of a deal with all of what goes back of one of them sent. */
export function withSent(funds: readonly Fund[], orderId: Id): Fund[] {
  return funds.map((fund) => (fund.orderId === orderId ? { ...fund, sent: fund.back } : fund));
}
