import { type Refusal, refuse } from '../../kernel/index.js';
import { isPlatformOwn } from '../../ledger/index.js';
import type { At, Effects, Facts, Kind } from '../kind.js';

/**
 * Why a kind may be given on a lending platform, which is the strict profile (银监办发〔2017〕21号): what members have goes from lender to
 * borrower and back directly, by their own will. own: it stays its owner's, or goes to his own account outside. lending: it is the lending
 * itself. agreed: what the platform takes alone. platform-money: as long as nothing is debited but the platform's own. staff: only the bank's
 * staff gives it.
 */
export const ON_LENDING: Readonly<Record<string, 'own' | 'lending' | 'agreed' | 'platform-money' | 'staff'>> = {
  'top-up': 'own',
  withdrawal: 'own',
  'own-transfer': 'own',
  'account-closing': 'own',
  bid: 'lending',
  'bid-cancel': 'lending',
  'lend-out': 'lending',
  miscarriage: 'lending',
  repayment: 'lending',
  compensation: 'lending',
  recovery: 'lending',
  'claim-sale': 'lending',
  'claim-sale-cancel': 'lending',
  'claim-purchase': 'lending',
  fee: 'agreed',
  transfer: 'platform-money',
  'acquirer-fee': 'staff',
  hold: 'staff',
  release: 'staff',
  correction: 'staff',
  'channel-settled': 'staff',
  'suspense-credit': 'staff',
};

/**
 * Why a kind is not given on a platform of this profile. Whatever is not named above moves members' money some other way, to orders, to other
 * members, to the platform, and is refused; a kind that nobody has sorted is too. What the system does by its own rules is not asked.
 */
export function againstProfile({ name }: Kind, { book, origin }: Pick<At, 'book' | 'origin'>): Refusal | undefined {
  if (book.profile !== 'lending' || origin === 'S') return undefined;
  const why = ON_LENDING[name];
  if (why !== undefined && (why !== 'staff' || origin === 'O')) return undefined;
  return refuse('PROFILE_FORBIDS', undefined, { kind: name, profile: book.profile });
}

/** The same for a kind that moves the platform's own money and could move others' too. */
export function membersTouched(
  { name }: Kind,
  { postings }: Effects,
  facts: Facts,
  { book, origin }: Pick<At, 'book' | 'origin'>,
): Refusal | undefined {
  if (book.profile !== 'lending' || origin === 'S' || ON_LENDING[name] !== 'platform-money') return undefined;
  const touched = postings.some(({ account, amount }) => {
    const type = facts.account(account)?.type;
    return amount < 0n && type !== undefined && !isPlatformOwn(type);
  });
  return touched ? refuse('PROFILE_FORBIDS', undefined, { kind: name, profile: book.profile }) : undefined;
}
