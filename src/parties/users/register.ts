import { type BusinessDate, type Id, naturalDate, type Refusal, refuse } from '../../kernel/index.js';
import { isDuplicateKey, loadParameters, type Parameters, type Runtime, type Tx, type Vault } from '../../runtime/index.js';
import type { Finding } from '../rules.js';
import { claimPlaces, type MobileClaim } from './mobiles.js';
import { checkParticulars, type LooseParticulars, type Particulars } from './particulars.js';
import { insertUsers, type User, usersByNumber } from './records.js';
import { canonical, refusalOfFaults } from './rules.js';

export interface NewUser {
  readonly userNo: string;
  readonly party: Particulars;
}

/** What a registration answers, the first time and every time it is repeated. */
export interface Registration {
  readonly user: User;
  readonly party: Particulars;
  readonly repeated: boolean;
}

export function isRegistration(result: Registration | Refusal): result is Registration {
  return 'user' in result;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault'>;

export interface RegisterOptions {
  /** They come from elsewhere: verified like others, they wait for the customer's own activation. */
  readonly takenOver?: boolean;
  /** Pointer of a line in the request. */
  readonly root?: (line: number) => string;
}

const RACES_MAX = 5;

/**
 * Registers users, whose identities are then verified by a worker; answers line by line. The same number and particulars as before: the
 * first answer again. A faulty line registers nothing and hinders no other.
 */
export async function registerUsers(
  rt: Parts,
  platformId: Id,
  asked: readonly NewUser[],
  { takenOver = false, root = () => '' }: RegisterOptions = {},
): Promise<(Registration | Refusal)[]> {
  const work = (tx: Tx) => registerAll(tx, rt, { platformId, asked, takenOver, root });
  for (let race = 1; ; race += 1) {
    try {
      // A lost COMMIT is simply run again: what was written then answers as repeated.
      return await rt.db.withTx('register users', work, async () => undefined);
    } catch (error) {
      if (!isDuplicateKey(error) || race === RACES_MAX) throw error; // a twin came first: now it is there to be read
    }
  }
}

interface Lines {
  readonly platformId: Id;
  readonly asked: readonly NewUser[];
  readonly takenOver: boolean;
  readonly root: (line: number) => string;
}

async function registerAll(
  tx: Tx,
  rt: Parts,
  { platformId, asked, takenOver, root }: Lines,
): Promise<(Registration | Refusal)[]> {
  const numbers = asked.map((line) => line.userNo);
  const known = await usersByNumber(tx, platformId, numbers);
  const at = { rt, today: naturalDate(rt.clock.now()), parameters: await loadParameters(tx) };
  const faultsOf = await judgeOf(
    tx,
    asked.map((line) => line.party),
    at,
  );
  const fresh: User[] = [];
  const results = asked.map(({ userNo, party }, index): Registration | Refusal => {
    const contentHash = rt.vault.index('user', canonical(party));
    const before = known.get(userNo);
    if (before !== undefined)
      return before.contentHash.equals(contentHash) ? { user: before, party, repeated: true } : refuse('USER_NO_REUSED');
    const refusal = refusalOfFaults(faultsOf(party, root(index)));
    if (refusal !== undefined) return refusal;
    const user = newUser(rt, { platformId, userNo, takenOver, contentHash, party });
    known.set(userNo, user);
    fresh.push(user);
    return { user, party, repeated: false };
  });
  await insertUsers(tx, fresh);
  return results;
}

interface Fresh {
  readonly platformId: Id;
  readonly userNo: string;
  readonly takenOver: boolean;
  readonly contentHash: Buffer;
  readonly party: Particulars;
}

function newUser({ newId, vault, clock }: Parts, { party, ...of }: Fresh): User {
  const nowMs = clock.now();
  return {
    ...of,
    id: newId(),
    customerId: null,
    state: 'pending',
    particularsSealed: vault.seal(JSON.stringify(party)),
    refusal: null,
    attempts: 0,
    nextMs: nowMs,
    createdMs: nowMs,
    changedMs: nowMs,
  };
}

interface At {
  readonly rt: { readonly vault: Vault };
  readonly today: BusinessDate;
  readonly parameters: Parameters;
}

/**
 * How the faults of each of these parties are found, one after the other: a line that is registered has its mobile number, and a later
 * one of another identity is told so. A faulty line, or one that was registered before, takes nothing from the others. That somebody stands on the watch list is none: it is told nobody, and found when the identity was
 * verified. Nor is it told whether the bank knows somebody already.
 */
async function judgeOf(
  tx: Tx,
  parties: readonly LooseParticulars[],
  { rt, today, parameters }: At,
): Promise<(party: LooseParticulars, root: string) => Finding[]> {
  const on = { today, adultAge: Number(parameters.on(today, 'adult.age')) };
  const claims = parties.map(claimOf).filter((claim) => claim !== undefined);
  const places = await claimPlaces(tx, claims, { today, parameters, vault: rt.vault });
  return (party, root) => {
    const faults = checkParticulars(party, on, `${root}/party`);
    const claim = claimOf(party);
    if (claim === undefined || places.free(claim) === undefined) return faults.concat(claim === undefined ? [] : [taken(root)]);
    if (faults.length === 0) places.take(claim);
    return faults;
  };
}

function taken(root: string): Finding {
  return { code: 'MOBILE_TAKEN', pointer: `${root}/party/mobile`, detail: 'belongs to another identity' };
}

/** A company has no number of its own: whoever acts for it may act for others too. */
function claimOf(party: LooseParticulars): MobileClaim | undefined {
  if (party.kind !== 'person' || party.mobile === undefined) return undefined;
  const { mobile, idType = 'resident-id', idNo = '' } = party;
  return { mobile, idType, idNo };
}

/** What a registration of these particulars would be refused for; changes nothing. @param party as much of it as could be read */
export async function tryUser(
  rt: Parts,
  platformId: Id,
  { userNo, party, whole }: { userNo?: string | undefined; party?: LooseParticulars | undefined; whole: Particulars | undefined },
): Promise<Finding[]> {
  return rt.db.read('dry run', async (tx) => {
    const at = { rt, today: naturalDate(rt.clock.now()), parameters: await loadParameters(tx) };
    const faults = party === undefined ? [] : (await judgeOf(tx, [party], at))(party, '');
    const before = userNo === undefined ? undefined : (await usersByNumber(tx, platformId, [userNo])).get(userNo);
    if (before === undefined || (whole !== undefined && before.contentHash.equals(rt.vault.index('user', canonical(whole)))))
      return before === undefined ? faults : [];
    return [{ code: 'USER_NO_REUSED', pointer: '/userNo', detail: 'was used before with other particulars' }, ...faults];
  });
}
