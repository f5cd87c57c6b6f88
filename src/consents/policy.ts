import { type Refusal, refuse } from '../kernel/index.js';
import type { Profile } from '../platforms/index.js';
import type { Factors } from './records.js';

/** What the customer's act takes, and whether a live mandate may stand in for it. */
export interface ProofNeeded {
  readonly needs: Factors;
  readonly mandates: boolean;
}

/** The bank's own rows; where there is none the default of the kind holds. */
export interface PolicyTable {
  readonly rows: ReadonlyMap<string, ProofNeeded>;
}

/** What debits a customer or binds him, and so needs his will. */
export const PROOF_KINDS = [
  'account-payment',
  'top-up',
  'withdrawal',
  'own-transfer',
  'account-closing',
  'mandate',
  'bid',
  'repayment',
  'compensation',
  'recovery',
  'fund-subscription',
  'fund-redemption',
  'fund-exchange',
  'pot-payment',
  'claim-sale',
  'claim-purchase',
] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

export interface KindPolicy {
  /** The least that even the bank cannot go below; `password` or `sms` here means any one factor. */
  readonly floor: ProofNeeded;
  readonly defaults: Readonly<Record<Profile, ProofNeeded>>;
  /** Why the default is what it is. */
  readonly reason: string;
}

const one = (mandates: boolean): ProofNeeded => ({ needs: 'password', mandates });
const code = (mandates: boolean): ProofNeeded => ({ needs: 'sms', mandates });
const both = (mandates: boolean): ProofNeeded => ({ needs: 'both', mandates });

/**
 * The safe defaults. Every debit of a customer that a platform starts takes his own act at the bank or a live mandate; what ends
 * something, or gives a right for the future, takes both factors and no mandate.
 */
export const KIND_POLICIES: Readonly<Record<ProofKind, KindPolicy>> = {
  'account-payment': {
    floor: one(true),
    defaults: { marketplace: one(true), lending: both(true) },
    reason: 'money goes to somebody else; in lending the sums are large and nothing comes back',
  },
  'top-up': {
    floor: code(true),
    defaults: { marketplace: code(true), lending: both(true) },
    reason: 'money stays his own; the code goes to the mobile that the bank of the bound card has verified',
  },
  withdrawal: {
    floor: one(false),
    defaults: { marketplace: one(false), lending: both(false) },
    reason: 'money goes to his own bound card, but leaves the custody: always his own act',
  },
  'own-transfer': {
    floor: one(false),
    defaults: { marketplace: one(false), lending: both(false) },
    reason: 'money stays his own, but moves between platforms or classes: always his own act',
  },
  'fund-subscription': {
    floor: one(true),
    defaults: { marketplace: one(true), lending: both(true) },
    reason: 'money goes to a fund and comes back to the same account alone; under a mandate what lies idle is swept',
  },
  'fund-redemption': {
    floor: one(true),
    defaults: { marketplace: one(true), lending: both(true) },
    reason: 'money comes to his own account and to no other',
  },
  'fund-exchange': {
    floor: one(false),
    defaults: { marketplace: one(false), lending: both(false) },
    reason: 'another fund may lose value: always his own act',
  },
  'pot-payment': {
    floor: one(true),
    defaults: { marketplace: one(true), lending: both(true) },
    reason: 'as a payment from the account: money goes to somebody else',
  },
  'account-closing': {
    floor: both(false),
    defaults: { marketplace: both(false), lending: both(false) },
    reason: 'it is for good',
  },
  bid: {
    floor: one(true),
    defaults: { marketplace: both(true), lending: both(true) },
    reason: 'what is lent out comes back late or never; within caps a mandate may bid (自动投标授权)',
  },
  repayment: {
    floor: one(true),
    defaults: { marketplace: one(true), lending: one(true) },
    reason: 'it goes to nobody but the lenders whom he owes',
  },
  compensation: {
    floor: one(true),
    defaults: { marketplace: both(true), lending: both(true) },
    reason: 'somebody else’s debt is paid',
  },
  recovery: {
    floor: one(true),
    defaults: { marketplace: one(true), lending: one(true) },
    reason: 'it goes to nobody but whoever paid for him',
  },
  'claim-sale': {
    floor: one(false),
    defaults: { marketplace: both(false), lending: both(false) },
    reason: 'he gives up what is owed to him, for less if he says so: always his own act',
  },
  'claim-purchase': {
    floor: one(true),
    defaults: { marketplace: both(true), lending: both(true) },
    reason: 'as a bid: within caps a mandate may buy (自动债转授权)',
  },
  mandate: {
    floor: both(false),
    defaults: { marketplace: both(false), lending: both(false) },
    reason: 'it stands in for many acts to come, and no mandate gives another',
  },
};

const STRICTEST: ProofNeeded = both(false);

/** The key of a row in a `PolicyTable`. */
export function policyKey(profile: string, kind: string): string {
  return `${profile}/${kind}`;
}

/**
 * What a kind that debits a customer needs on platforms of this profile. Unknown kinds and profiles get the strictest: both factors,
 * no mandate. A row that has come to lie below the floor of its kind counts as the floor.
 */
export function proofNeeded(table: PolicyTable, profile: string, kind: string): ProofNeeded {
  const policy = Object.hasOwn(KIND_POLICIES, kind) ? KIND_POLICIES[kind as ProofKind] : undefined;
  if (policy === undefined || !Object.hasOwn(policy.defaults, profile)) return STRICTEST;
  const asked = table.rows.get(policyKey(profile, kind)) ?? policy.defaults[profile as Profile];
  return {
    needs: policy.floor.needs === 'both' ? 'both' : asked.needs,
    mandates: asked.mandates && policy.floor.mandates,
  };
}

/** Whether the bank may ask for no more than this. @returns POLICY_TOO_LOOSE below the floor of the kind */
export function decidePolicy(kind: ProofKind, asked: ProofNeeded): Refusal | undefined {
  const { floor } = KIND_POLICIES[kind];
  if (floor.needs === 'both' && asked.needs !== 'both')
    return refuse('POLICY_TOO_LOOSE', `${kind} takes both factors.`, { kind });
  if (asked.mandates && !floor.mandates)
    return refuse('POLICY_TOO_LOOSE', `No mandate may stand in for the customer's own act: ${kind}.`, { kind });
  return undefined;
}
