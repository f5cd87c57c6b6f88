import { addDays, type Id, type Instant, invariant, type Refusal, Refused, refuse } from '../../kernel/index.js';
import { loadBook, lockShard } from '../../ledger/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { capRefusal } from '../decide.js';
import { lookAtTerms } from '../look.js';
import { endVersions, loadTerms, moveVersions } from '../store.js';
import { refusalOf, takesOver } from '../version-check.js';
import { type Group, lockMembers, type Member, recordedBy } from './store.js';

type Parts = Pick<Runtime, 'clock' | 'calendar' | 'vault'>;

/** What a member of the bank's staff decides about all versions of a group that are ready for it. */
export interface GroupDecision {
  readonly group: Group;
  readonly by: Id;
  /** See `Decision`. */
  readonly othersCap?: bigint | undefined;
}

/** What came of it. Versions that are not at this step are neither. */
export interface Decided {
  readonly moved: readonly Member[];
  readonly left: readonly { readonly member: Member; readonly refusal: Refusal }[];
}

/**
 * The first of two looks, at all versions of a group that all their receivers signed. Those that wait for signatures still can be looked at in
 * another act; one that has a fault of its own keeps none of the others back.
 * @throws Refused RECEIVER_NOT_SIGNED, AGREEMENT_STATE when none is at this step; what is wrong with the first one when none can be moved
 */
export async function checkGroup(tx: Tx, rt: Parts, of: GroupDecision): Promise<Decided> {
  return step(tx, rt, of, { from: 'countersigned', to: 'checked', nowMs: rt.clock.now() });
}

/** The second one approves those that another member of staff looked at. It takes the shard, as for one version. @throws as `checkGroup` */
export async function approveGroup(tx: Tx, rt: Parts, of: GroupDecision): Promise<Decided> {
  const { shardId } = await loadBook(tx, of.group.platformId);
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  return step(tx, rt, of, { from: 'checked', to: 'approved', nowMs });
}

interface Step {
  readonly from: 'countersigned' | 'checked';
  readonly to: 'checked' | 'approved';
  readonly nowMs: Instant;
}

async function step(tx: Tx, rt: Parts, of: GroupDecision, { from, to, nowMs }: Step): Promise<Decided> {
  const { group, by, othersCap } = of;
  const members = await lockMembers(tx, group.id);
  const ready = members.filter(({ state }) => state === from);
  if (ready.length === 0) throw new Refused(noneReady(members));
  const ids = ready.map(({ id }) => id);
  const recorded = await recordedBy(tx, ids, by);
  const [terms] = [...(await loadTerms(tx, [group.termsHash])).values()];
  invariant(terms, `group ${group.id} has terms`);
  const lines = ready.map(({ accountId: account, amends, agreementId }) => ({ account, amends, agreementId }));
  const { validFrom, validTo, platformId } = group;
  const seen = await lookAtTerms(tx, rt, platformId, { terms, validFrom, validTo, lines });
  const refusals = ready.map((member, place): Refusal | undefined => {
    if (recorded.has(member.id) || member.checkedBy === by) return refuse('SAME_OPERATOR');
    return refusalOf([...(seen.lines[place] ?? []), ...seen.faults]) ?? capRefusal(terms, seen.beyondCap, othersCap);
  });
  const moved = ready.filter((_, place) => refusals[place] === undefined);
  if (moved.length === 0) throw new Refused(refusals[0] as Refusal);
  if (to === 'approved') {
    const ended = moved.flatMap(({ accountId, amends }) =>
      (seen.approved.get(accountId) ?? [])
        .filter((other) => takesOver({ validFrom, validTo, amends }, other))
        .map(({ id }) => id),
    );
    await endVersions(tx, ended, addDays(validFrom, -1));
  }
  await move(tx, moved, to, { nowMs, by });
  return { moved, left: ready.flatMap((member, place) => leftOf(member, refusals[place])) };
}

const leftOf = (member: Member, refusal: Refusal | undefined) => (refusal === undefined ? [] : [{ member, refusal }]);

function noneReady(members: readonly Member[]): Refusal {
  const waiting = members.filter(({ state }) => state === 'submitted').length;
  if (waiting > 0) return refuse('RECEIVER_NOT_SIGNED', undefined, { waiting });
  return refuse('AGREEMENT_STATE', undefined, { states: [...new Set(members.map(({ state }) => state))] });
}

type Move = Parameters<typeof moveVersions>[3];

/** The rows are locked, and the guard is written all the same. */
async function move(tx: Tx, members: readonly Member[], to: Parameters<typeof moveVersions>[2], how: Move): Promise<void> {
  const ids = members.map(({ id }) => id);
  const moved = await moveVersions(tx, ids, to, how);
  invariant(moved === ids.length, `${ids.length} versions are ${to}, and ${moved} were written`);
}

const UNDECIDED: readonly string[] = ['submitted', 'countersigned', 'checked'];

/** Anybody of the staff may say no to all that are not approved. @throws Refused AGREEMENT_STATE when there is none */
export async function refuseGroup(tx: Tx, rt: Parts, of: GroupDecision & { readonly reason: string }): Promise<number> {
  const members = (await lockMembers(tx, of.group.id)).filter(({ state }) => UNDECIDED.includes(state));
  if (members.length === 0) throw new Refused(refuse('AGREEMENT_STATE', 'Every version of the group is decided.'));
  await move(tx, members, 'refused', { nowMs: rt.clock.now(), by: of.by, reasonSealed: rt.vault.seal(of.reason) });
  return members.length;
}

/** The platform takes back all that are not approved; twice changes nothing. @throws Refused AGREEMENT_STATE when all are decided */
export async function withdrawGroup(tx: Tx, rt: Pick<Parts, 'clock' | 'calendar'>, group: Group): Promise<void> {
  const all = await lockMembers(tx, group.id);
  const members = all.filter(({ state }) => UNDECIDED.includes(state));
  if (members.length > 0) await move(tx, members, 'withdrawn', { nowMs: rt.clock.now() });
  else if (!all.some(({ state }) => state === 'withdrawn'))
    throw new Refused(refuse('AGREEMENT_STATE', 'Every version of the group is decided.'));
}
