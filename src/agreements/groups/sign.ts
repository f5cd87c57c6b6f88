import { type Id, type Instant, invariant, Refused, refuse, toWire } from '../../kernel/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../../runtime/index.js';
import { accountsNamed } from '../rule-check.js';
import { countSignatures, insertSignatures, loadTerms, type Signature, settleSignatures, signaturesOf } from '../store.js';
import { type Group, lockMembers, type Member } from './store.js';

/** Whose signatures a list on paper holds: these accounts', or those of all who have not signed yet. */
export type Signers = 'missing' | readonly Id[];

export interface PaperList {
  readonly group: Group;
  readonly accounts: Signers;
  readonly voucher: string;
  readonly by: Id;
}

interface Place {
  readonly member: Member;
  readonly account: Id;
}

const RACES_MAX = 5;

/**
 * A member of staff saw the signatures of many receivers on one paper. Whoever has signed already is passed over; a question that is open on
 * a page lapses with that. A receiver whom the terms name signs every version of the group with it.
 * @returns how many signatures were recorded
 * @throws Refused AGREEMENT_STATE when no version waits, RECEIVER_NOT_ALLOWED for whoever signs none of the group, RECEIVER_SIGNED
 */
export async function recordPaperList(tx: Tx, rt: Pick<Runtime, 'newId' | 'clock' | 'vault'>, list: PaperList): Promise<number> {
  const { group, accounts } = list;
  const members = await lockMembers(tx, group.id);
  const [terms] = [...(await loadTerms(tx, [group.termsHash])).values()];
  invariant(terms, `group ${group.id} has terms`);
  const named = [...accountsNamed(terms.rule).keys()] as Id[];
  if (accounts !== 'missing') refuseStrangers(accounts, [...members.map(({ accountId }) => accountId), ...named]);
  const waiting = members.filter(({ state }) => state === 'submitted');
  if (waiting.length === 0) throw new Refused(refuse('AGREEMENT_STATE', 'No version of the group waits for signatures.'));
  const listed = accounts === 'missing' ? undefined : new Set(accounts);
  const places = waiting
    .flatMap((member) => [member.accountId, ...named].map((account): Place => ({ member, account })))
    .filter(({ account }) => listed?.has(account) ?? true);
  for (let race = 1; ; race += 1) {
    try {
      return await record(tx, rt, places, list);
    } catch (error) {
      if (!isDuplicateKey(error) || race === RACES_MAX) throw error; // somebody was just asked: now that is seen
    }
  }
}

function refuseStrangers(accounts: readonly Id[], signers: readonly Id[]): void {
  const known = new Set(signers);
  const strangers = accounts.filter((account) => !known.has(account)).map((account) => toWire('account', account));
  if (strangers.length === 0) return;
  throw new Refused(refuse('RECEIVER_NOT_ALLOWED', 'No version of the group names such a receiver.', { accounts: strangers }));
}

async function record(
  tx: Tx,
  rt: Pick<Runtime, 'newId' | 'clock' | 'vault'>,
  places: readonly Place[],
  { voucher, by }: PaperList,
): Promise<number> {
  const nowMs = rt.clock.now();
  const signatures = await signaturesOf(tx, [...new Set(places.map(({ member }) => member.id))], true);
  const liveOf = ({ member, account }: Place) =>
    signatures.get(member.id)?.find((each) => each.accountId === account && (each.state === 'asked' || each.state === 'signed'));
  const open = places.map((place) => ({ place, live: liveOf(place) })).filter(({ live }) => live?.state !== 'signed');
  if (open.length === 0) throw new Refused(refuse('RECEIVER_SIGNED', 'All of them have signed already.'));
  const asked = open.flatMap(({ live }) => live?.id ?? []);
  if (asked.length > 0) await settleSignatures(tx, asked, 'lapsed', nowMs);
  const written = open.map(
    ({ place: { member, account } }): Signature => ({
      ...{
        id: rt.newId(),
        versionId: member.id,
        accountId: account,
        way: 'paper',
        state: 'signed',
        userId: null,
        consentId: null,
      },
      ...{ expiresMs: null, voucherSealed: rt.vault.seal(voucher), recordedBy: by, createdMs: nowMs, signedMs: nowMs },
    }),
  );
  await insertInParts(tx, written);
  await count(tx, written, nowMs);
  return written.length;
}

const ROWS_MAX = 5_000;

async function insertInParts(tx: Tx, signatures: readonly Signature[]): Promise<void> {
  for (let from = 0; from < signatures.length; from += ROWS_MAX)
    await insertSignatures(tx, signatures.slice(from, from + ROWS_MAX));
}

async function count(tx: Tx, signatures: readonly Signature[], nowMs: Instant): Promise<void> {
  const more = new Map<Id, number>();
  for (const { versionId } of signatures) more.set(versionId, (more.get(versionId) ?? 0) + 1);
  for (const each of new Set(more.values())) {
    const ids = [...more].flatMap(([id, n]) => (n === each ? [id] : []));
    const counted = await countSignatures(tx, ids, each, nowMs);
    invariant(counted === ids.length, `${ids.length} versions wait for signatures, and ${counted} were counted`);
  }
}
