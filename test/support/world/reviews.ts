import { changeSettlementAccount } from '../../../src/accounts/sub-merchants.js';
import { reviewParts } from '../../../src/instructions/index.js';
import { asId, type Id, naturalDate, Refused } from '../../../src/kernel/index.js';
import { loadParties } from '../../../src/parties/index.js';
import { loadWatchList } from '../../../src/parties/watch/watch-list.js';
import {
  approveRule,
  decideReview,
  endRuleAsked,
  lapseReviews,
  type NewRule,
  proposeRule,
  type ReviewTest,
} from '../../../src/reviews/index.js';
import type { World } from './world.js';

/** What the bank's staff does about reviews, by the service's own functions. */
export const STAFF = { anne: asId('1000000000000000071'), bert: asId('1000000000000000072'), cleo: asId('1000000000000000073') };
export type Staff = keyof typeof STAFF;

/** A rule in force from today on: one proposes it, another approves it. */
export async function ruleFor(
  { db, rt, clock }: World,
  platform: Id,
  kinds: readonly string[],
  test: ReviewTest,
  { minutes = 60, onDeadline = 'refuse' }: Partial<Pick<NewRule, 'minutes' | 'onDeadline'>> = {},
): Promise<Id> {
  const of: NewRule = { name: test.by, kinds, test, minutes, onDeadline, from: naturalDate(clock.now()), until: null };
  const { id } = await db.withTx('propose rule', (tx) => proposeRule(tx, rt, platform, of, STAFF.anne));
  await db.withTx('approve rule', (tx) => approveRule(tx, rt, id, { state: 'approved', by: STAFF.bert }));
  return id;
}

export async function endRuleFor({ db, rt }: World, rule: Id): Promise<void> {
  await db.withTx('ask end', (tx) => endRuleAsked(tx, rt, rule, STAFF.anne));
  await db.withTx('end', (tx) => endRuleAsked(tx, rt, rule, STAFF.bert));
}

/** The state of the review afterwards, or the code of the refusal. The instruction is not decided yet. */
export async function verdictOf({ db, rt }: World, id: Id, who: Staff, verdict: 'approve' | 'reject'): Promise<string> {
  try {
    const { wake } = reviewParts(rt);
    const of = { verdict, by: STAFF[who], note: '看过' };
    return (await db.withTx('verdict', (tx) => decideReview(tx, rt, wake, id, of))).view.review.state;
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

/** What the sweep does with reviews whose deadline has passed. */
export function lapse({ rt }: World): Promise<number> {
  return lapseReviews(rt, reviewParts(rt).wake);
}

/** The sub-merchants behind these accounts. */
async function merchantsOf({ db }: World, accounts: readonly string[]) {
  if (accounts.length === 0) return [];
  return db.read('merchants', (tx) =>
    tx.rows<{ id: Id; platform_id: Id; party_id: Id }>(
      `SELECT id, platform_id, party_id FROM sub_merchants WHERE account_id IN (${accounts.join()})`,
    ),
  );
}

/** A watch list in the place of the one before: these sub-merchants by their numbers, and these names. */
export async function loadList(world: World, of: { readonly accounts: readonly string[]; readonly names: readonly string[] }) {
  const { db, rt } = world;
  const merchants = await merchantsOf(world, of.accounts);
  await db.withTx('watch list', async (tx) => {
    const parties =
      merchants.length === 0
        ? []
        : (
            await loadParties(
              tx,
              rt.vault,
              merchants.map((one) => one.party_id),
            )
          ).values();
    const numbers = [...parties].map(({ idNo }) => ({ list: '制裁', idType: 'uscc' as const, idNo }));
    await loadWatchList(tx, rt, [...numbers, ...of.names.map((name) => ({ list: '涉诈', name }))], STAFF.anne);
    return true;
  });
}

/** Another account of the sub-merchant himself. */
export async function rebind(world: World, account: Id, card: string): Promise<void> {
  const [merchant] = await merchantsOf(world, [account]);
  if (merchant === undefined) throw new Error(`nobody is paid from ${account}`);
  await changeSettlementAccount(world.rt, merchant.platform_id, merchant.id, { name: '商户', account: card, bankCode: '' });
}
