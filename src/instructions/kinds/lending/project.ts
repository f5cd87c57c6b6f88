import { z } from 'zod';
import { lendingFlow } from '../../../accounts/index.js';
import { type Id, type Minor, naturalDate, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import { isElectronic, type Posting } from '../../../ledger/index.js';
import {
  type Bid,
  type Claim,
  claimRecords,
  openBidRecords,
  type Project,
  projectKey,
  projectRecords,
} from '../../../lending/index.js';
import { isSameOwner } from '../../electronic.js';
import { type At, change, type Facts, type Needs, type RecordChange } from '../../kind.js';

/** What the kinds of lending have in common: the project that they name, what belongs to it, and how its money moves. */
export const projectNo = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
  .meta({ description: "The platform's own number of the project" });

type NamesProject = { readonly projectNo: string };
type Records = NonNullable<Needs['records']>;

/** What a kind has to see first: the project. */
export function projectNeeds({ projectNo: no }: NamesProject, { platformId }: At): Records {
  return [[projectRecords, projectKey(platformId, no)]];
}

/** What it has to see once the project is known: all of these types that belong to it. */
export function ofProject(...types: readonly Records[number][0][]) {
  return (named: NamesProject, facts: Facts, at: At): Needs => {
    const project = projectIn(named, facts, at);
    return 'code' in project ? {} : { records: types.map((type) => [type, project.id] as const) };
  };
}

/** @returns PROJECT_NOT_FOUND */
export function projectIn({ projectNo: no }: NamesProject, facts: Facts, { platformId }: At): Project | Refusal {
  const project = facts.record(projectRecords, projectKey(platformId, no));
  return project ?? refuse('PROJECT_NOT_FOUND', undefined, { project: no });
}

export function projectChange(project: Project, { platformId }: At): RecordChange {
  return change(projectRecords, projectKey(platformId, project.projectNo), project);
}

export function openBidsOn({ id }: Project, facts: Facts): readonly Bid[] {
  return facts.record(openBidRecords, id)?.bids ?? [];
}

export function claimsOn({ id }: Project, facts: Facts): readonly Claim[] {
  return facts.record(claimRecords, id)?.claims ?? [];
}

export function claimsChange({ id: projectId }: Project, claims: readonly Claim[]): RecordChange {
  return change(claimRecords, projectId, { projectId, claims });
}

/**
 * Whoever borrows, stands for it, or is paid in his place would pay himself.
 * @returns LENDER_NOT_ALLOWED
 */
export function isParty({ borrower, guarantor, payee }: Project, lender: Id, facts: Facts): Refusal | undefined {
  const parties = [borrower, guarantor, payee].flatMap((account) => account ?? []);
  return parties.some((party) => isSameOwner(party, lender, facts)) ? refuse('LENDER_NOT_ALLOWED') : undefined;
}

/** Why money that comes to an account would not serve what it was given for: a court or a dispute lays claim to whatever comes. */
export function caughtOn(id: Id, facts: Facts): Refusal | undefined {
  const account = facts.account(id);
  const free = account === undefined || (account.state !== 'frozen' && account.claimed <= account.balance - account.held);
  return free ? undefined : refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', id) });
}

/** As what money of lending counts on an electronic account today. */
export function flowOf(at: At): 'product' | 'unbound' {
  return lendingFlow(at.parameters, naturalDate(at.nowMs));
}

/** A posting of lending: what is credited keeps the age of what was debited, and what is youngest moves first. */
function lendingPosting(account: Id, amount: Minor, facts: Facts, at: At): Posting {
  const age = amount < 0n ? { draw: 'uncleared-first' as const } : { clears: 'inherit' as const };
  return { account, amount, ...age, ...(isElectronic(facts.account(account)?.type) ? { flow: flowOf(at) } : {}) };
}

/** Amounts by account, in the order in which the accounts came; one account stands once in a movement. */
export class Sums {
  readonly #sums = new Map<Id, Minor>();

  add(account: Id, amount: Minor): this {
    this.#sums.set(account, (this.#sums.get(account) ?? 0n) + amount);
    return this;
  }

  /** What is not nothing. */
  entries(): [Id, Minor][] {
    return [...this.#sums].filter(([, amount]) => amount !== 0n);
  }

  postings(facts: Facts, at: At): Posting[] {
    return this.entries().map(([account, amount]) => lendingPosting(account, amount, facts, at));
  }
}
