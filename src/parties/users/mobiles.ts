import { type BusinessDate, type IdType, type Instant, type Refusal, refuse } from '../../kernel/index.js';
import { isDuplicateKey, type Parameters, type Tx, type Vault } from '../../runtime/index.js';
import { loadMobiles, type MobileBook, moveMobilePlace, setMobile, setMobileVerified, setProofsFrom } from './mobile-records.js';
import { mobileOf, type Particulars } from './particulars.js';
import type { Customer, User } from './records.js';

/**
 * One mobile number, one identity (银发〔2016〕261号): as many as the parameter says, and whom two members of staff let share it.
 */
export interface MobileClaim {
  readonly mobile: string;
  readonly idType: IdType;
  readonly idNo: string;
}

/** The least place of a number that an identity may take, or undefined: it is taken. An identity that holds it has its place. */
function freePlace(book: MobileBook, claim: MobileClaim, identities: number, vault: Vault): number | undefined {
  const key = vault.index('mobile', claim.mobile).toString('hex');
  const idIndex = vault.index(`id:${claim.idType}`, claim.idNo);
  const isIt = (of: { idType: IdType; idIndex: Buffer }) => of.idType === claim.idType && of.idIndex.equals(idIndex);
  const holders = book.holders.get(key) ?? [];
  const own = holders.find(isIt);
  if (own !== undefined) return own.place;
  // Who has an exception stands beside the others and takes no place from them.
  const excepted = (book.exceptions.get(key) ?? []).some(isIt);
  const taken = new Set(holders.map((holder) => holder.place));
  for (let place = excepted ? identities + 1 : 1; excepted || place <= identities; place += 1)
    if (!taken.has(place)) return place;
  return undefined;
}

export interface MobileRules {
  readonly today: BusinessDate;
  readonly parameters: Parameters;
  readonly vault: Vault;
}

/** The places of some numbers: as they are now, and as they are once claims that come together have taken theirs. */
export interface Places {
  /** The place that a claim may take, or undefined: the number is taken. */
  free(claim: MobileClaim): number | undefined;
  /** From now on the place is this claim's, for those that are asked about after it. Writes nothing. */
  take(claim: MobileClaim): void;
}

/** @param claims those that will be asked about: their numbers are read */
export async function claimPlaces(
  tx: Tx,
  claims: readonly MobileClaim[],
  { today, parameters, vault }: MobileRules,
): Promise<Places> {
  const book = await loadMobiles(
    tx,
    claims.map((claim) => vault.index('mobile', claim.mobile)),
  );
  const identities = Number(parameters.on(today, 'mobile.identities'));
  const holders = new Map(book.holders);
  const free = (claim: MobileClaim) => freePlace({ ...book, holders }, claim, identities, vault);
  return {
    free,
    take(claim) {
      const place = free(claim);
      if (place === undefined) return;
      const key = vault.index('mobile', claim.mobile).toString('hex');
      const { idType, idNo } = claim;
      holders.set(key, [...(holders.get(key) ?? []), { place, idType, idIndex: vault.index(`id:${idType}`, idNo) }]);
    },
  };
}

/** The place of a number that an identity may take now, or undefined: it is taken. */
export async function freePlaceOf(tx: Tx, claim: MobileClaim, rules: MobileRules): Promise<number | undefined> {
  return (await claimPlaces(tx, [claim], rules)).free(claim);
}

const RACES_MAX = 5;

/**
 * The numbers under which a customer may prove that he is reached: the one that he has; and as long as nobody but a platform said that
 * it is his, also the one with which this user of his was registered.
 */
export function provableMobiles(
  customer: Pick<Customer, 'mobile' | 'mobileVerified'>,
  user: Pick<User, 'particularsSealed'>,
  vault: Vault,
): string[] {
  const own = customer.mobile === null ? [] : [customer.mobile];
  if (customer.mobileVerified) return own;
  const registered = mobileOf(JSON.parse(vault.open(user.particularsSealed)) as Particulars);
  return [...own, registered];
}

/**
 * A customer is reached under this number from now on: that it is his was verified before, by his card's bank or by the staff. In place of
 * one that nobody had verified it also ends what was proved by that. Call it with the customer taken.
 * @returns MOBILE_TAKEN, and then nothing was changed; or undefined
 */
export async function changeMobile(
  tx: Tx,
  customer: Pick<Customer, 'id' | 'kind' | 'idType' | 'idNo' | 'mobile' | 'mobileVerified'>,
  mobile: string,
  rules: MobileRules & { readonly nowMs: Instant },
): Promise<Refusal | undefined> {
  if (customer.mobile === mobile) {
    await setMobileVerified(tx, customer.id);
    return undefined;
  }
  const index = rules.vault.index('mobile', mobile);
  for (let race = 1, moved = customer.kind === 'company'; !moved; race += 1) {
    const place = await freePlaceOf(tx, { mobile, idType: customer.idType, idNo: customer.idNo }, rules);
    if (place === undefined || race > RACES_MAX) return refuse('MOBILE_TAKEN');
    try {
      await moveMobilePlace(tx, index, place, customer.id);
      moved = true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // another came first: the next look finds another place or none
    }
  }
  await setMobile(tx, customer.id, rules.vault.seal(mobile), index);
  if (!customer.mobileVerified) await setProofsFrom(tx, customer.id, rules.nowMs);
  return undefined;
}
