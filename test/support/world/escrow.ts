import { recordConfirmation } from '../../../src/escrow/confirm.js';
import { dueActs, dueDeals } from '../../../src/escrow/index.js';
import { openDeal } from '../../../src/escrow/open.js';
import { approveReview, proposeReview } from '../../../src/escrow/review.js';
import { asId, type BusinessDate, type Id, Refused } from '../../../src/kernel/index.js';
import type { Tx } from '../../../src/runtime/index.js';
import type { ModelDealTerms } from '../model/escrow-deals.js';
import type { World } from './world.js';

/** Deals by the service's own functions, with the bank's staff writing down what parties signed on paper. */
const [ONE, OTHER] = [asId('1000000000000000071'), asId('1000000000000000072')];

async function said<T>({ db }: World, work: (tx: Tx) => Promise<T>): Promise<T | string> {
  try {
    return await db.withTx('escrow', work);
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

let numbers = 0;

export async function openEscrow(world: World, platform: Id, terms: ModelDealTerms): Promise<{ result: string; id?: string }> {
  numbers += 1;
  const parties = Object.entries(terms.parties).map(([role, account]) => ({
    ...{ role, account: account === '' ? null : asId(account), user: null },
  }));
  const dates = terms.dates as Record<string, BusinessDate>;
  try {
    const { deal } = await openDeal(world.rt, platform, { ...terms, escrowNo: `E-${numbers}`, parties, dates });
    return { result: 'opened', id: deal.id };
  } catch (error) {
    if (error instanceof Refused) return { result: error.refusal.code };
    throw error;
  }
}

/** Who of the bank bears a name: always the same. */
const staff = new Map<string, Id>();
function operator({ rt }: World, name: string): Id {
  const known = staff.get(name) ?? rt.newId();
  staff.set(name, known);
  return known;
}

export async function confirmEscrow(world: World, escrow: Id, item: string, role: string, by: string): Promise<string> {
  const of = { escrow, item, role, voucher: 'F-1', by: operator(world, by) };
  const made = await said(world, (tx) => recordConfirmation(tx, world.rt, of));
  return typeof made === 'string' ? made : made.state;
}

export async function decideEscrow(
  world: World,
  escrow: Id,
  item: string,
  lines: { to: string; amount: bigint | 'rest' }[] | null,
  alone: boolean,
): Promise<string> {
  const taken = lines?.map(({ to, amount }) => ({ to, take: amount === 'rest' ? ('rest' as const) : { fixed: amount } })) ?? null;
  const id = world.rt.newId();
  const proposed = await said(world, (tx) =>
    proposeReview(tx, world.rt, { id, escrow, item, lines: taken, reason: '核实', by: ONE }),
  );
  if (typeof proposed === 'string') return proposed;
  const approved = await said(world, (tx) =>
    approveReview(tx, world.rt, { escrow, review: id }, { by: alone ? ONE : OTHER, note: null }),
  );
  return typeof approved === 'string' ? approved : 'approved';
}

export interface DueOfDeal {
  readonly words: string;
  readonly escrow: Id;
  readonly kind: string;
  readonly requestNo: string;
  readonly data: Readonly<Record<string, string>>;
}

const VERBS = { 'escrow-release': 'release', 'escrow-failure': 'fail', 'escrow-refund': 'back' } as const;

/** What the sweep would instruct now for deals of these platforms. */
export async function dueOfDeals({ db, clock }: World, platforms: readonly Id[]): Promise<DueOfDeal[]> {
  const found = await db.read('due', (tx) => dueDeals(tx, clock.now(), 100));
  const mine = found.filter(({ deal }) => platforms.includes(deal.platformId)).sort((a, b) => (a.deal.id < b.deal.id ? -1 : 1));
  return mine.flatMap(({ deal, funds }) =>
    dueActs(deal, funds, clock.now()).map(({ kind, requestNo, stage, orderNo }) => {
      const what = stage === undefined ? { orderNo: orderNo as string } : { stage };
      const words = `${VERBS[kind]} ${deal.id} ${stage ?? `order:${orderNo}`}`;
      return { words, escrow: deal.id, kind, requestNo, data: { escrow: `esc_${deal.id}`, ...what } };
    }),
  );
}
