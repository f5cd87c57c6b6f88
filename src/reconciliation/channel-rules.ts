import type { Minor } from '../kernel/index.js';
import { bringsMoneyIn, isUnderWay, type Payout, type PayoutState } from '../payouts/index.js';
import type { Leftover, Row } from './matching.js';
import type { BreakClass } from './rules.js';

/** What a channel's file says of a payment. */
type Told = 'settled' | 'failed' | 'refused' | 'returned';

/** How a payout of ours stands, in a word that a file has for it too. */
export function wordOf(state: PayoutState): string {
  if (state === 'settled' || state === 'returned') return 'settled';
  return state === 'failed' ? 'failed' : 'under way';
}

/** What is made of a number on which file and books do not agree at first sight. */
export type ChannelFinding = { readonly kind: 'agrees' } | ChannelBreak;

export interface ChannelBreak {
  readonly kind: 'break';
  readonly class: BreakClass;
  readonly ours: Minor | null;
  readonly theirs: Minor | null;
  readonly states: { readonly ours: string; readonly theirs: string } | null;
  /** The next file may have it. */
  readonly timing: boolean;
  /** The result that is final and that the books still wait for: they take it by themselves, by this rule. */
  readonly converge: { readonly to: 'settled' | 'failed' | 'returned'; readonly rule: string } | null;
}

const AGREES: ChannelFinding = { kind: 'agrees' };

/** Names a difference. @param payout what the number names in our books */
export function classifyChannel(of: Leftover, channel: string, payout: Payout | undefined): ChannelFinding {
  const { rows } = of;
  const nothing = { ours: of.ours, theirs: of.theirs, states: null, timing: false, converge: null };
  const found = (kind: BreakClass, also: Partial<ChannelBreak> = {}): ChannelBreak => ({
    ...nothing,
    ...also,
    kind: 'break',
    class: kind,
  });
  if (rows.length === 0) {
    // What failed, or has no result yet, need not stand in it.
    return payout?.state === 'settled' || payout?.state === 'returned' ? found('only-ours', { timing: true }) : AGREES;
  }
  const told = latestOf(rows);
  if (payout === undefined) return found('only-theirs');
  const other = rows.find(({ amount }) => amount !== payout.amount);
  if (other !== undefined) return found('amount-differs', { ours: payout.amount, theirs: other.amount });
  if (agrees(payout, told, channel)) return AGREES;
  const sides = {
    ...{ ours: payout.amount, theirs: payout.amount },
    states: {
      ours: payout.channel === channel ? payout.state : `${payout.channel ?? 'no channel'}: ${payout.state}`,
      theirs: told,
    },
  };
  const converge = payout.channel === channel ? convergence(payout, told) : null;
  return found('state-differs', { ...sides, converge });
}

/** What stands last in the life of a payment. */
function latestOf(rows: readonly Row[]): Told {
  const order: readonly Told[] = ['refused', 'failed', 'settled', 'returned'];
  return order.findLast((word) => rows.some(({ state }) => state === word)) ?? 'refused';
}

function agrees({ state, channel: by }: Payout, told: Told, channel: string): boolean {
  if (told === 'refused') return by !== channel || state === 'created' || state === 'failed';
  if (by !== channel) return false;
  if (told === 'settled') return state === 'settled' || state === 'returned';
  return state === told;
}

function convergence(payout: Payout, told: Told) {
  if (isUnderWay(payout.state) && payout.state !== 'created' && told !== 'returned' && told !== 'refused')
    return { to: told, rule: told === 'settled' ? 'theirs-success-ours-unknown' : 'theirs-failure-ours-unknown' };
  // What was collected and is charged back, a person has to look at.
  if (payout.state === 'settled' && told === 'returned' && !bringsMoneyIn(payout)) return { to: told, rule: 'theirs-returned' };
  return null;
}
