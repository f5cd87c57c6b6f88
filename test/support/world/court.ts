import { approveDeduction, freeze, lift, proposeDeduction, renew } from '../../../src/claims/index.js';
import { asId, type BusinessDate, type Id, naturalDate, Refused } from '../../../src/kernel/index.js';
import type { Tx } from '../../../src/runtime/index.js';
import type { World } from './world.js';

/** What the bank's staff does at the word of authorities, by the service's own functions. */
const [ONE, OTHER] = [asId('1000000000000000011'), asId('1000000000000000012')];
const COURT = { name: '某市人民法院', account: '6222020000000000078', bankCode: '' };

async function said<T>({ db }: World, work: (tx: Tx) => Promise<T>): Promise<T | string> {
  try {
    return await db.withTx('court', work);
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

/** Each document has a number of its own. */
function documentNo({ rt }: World): string {
  return `（2026）执${rt.newId()}号`;
}

export async function court(world: World, of: { account: string; amount: bigint | undefined; until: string }) {
  const { account, amount, until } = of;
  const dates = { from: naturalDate(world.clock.now()), until: until as BusinessDate };
  const ordered = { account: asId(account), authority: COURT.name, documentNo: documentNo(world), amount, ...dates };
  const made = await said(world, (tx) => freeze(tx, world.rt, ordered, ONE));
  return typeof made === 'string' ? { result: made } : { result: 'frozen', id: made.id as string };
}

export async function renewCourt(world: World, id: Id, until: string): Promise<string> {
  const of = { documentNo: documentNo(world), until: until as BusinessDate };
  const renewed = await said(world, (tx) => renew(tx, world.rt, id, of, ONE));
  return typeof renewed === 'string' ? renewed : 'renewed';
}

export async function liftCourt(world: World, id: Id, amount: bigint | undefined): Promise<string> {
  const of = { documentNo: documentNo(world), amount };
  const lifted = await said(world, (tx) => lift(tx, world.rt, id, of, ONE));
  return typeof lifted === 'string' ? lifted : 'lifted';
}

/** Asked for by one and approved by another; who calls it gives the instruction himself. */
export async function orderDeduction(world: World, freezeId: Id, amount: bigint) {
  const { rt, shardId } = world;
  const ordered = await said(world, async (tx) => {
    const asked = await proposeDeduction(tx, rt, freezeId, { documentNo: documentNo(world), amount, payee: COURT }, ONE);
    const order = async () => ({ instruction: rt.newId(), shardId });
    return (await approveDeduction(tx, rt, order, asked.deduction.id, OTHER)).view.deduction.id;
  });
  return /^\d+$/.test(ordered) ? { result: 'approved', id: ordered as string } : { result: ordered as string };
}
