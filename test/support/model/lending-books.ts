import type { Given } from '../given.js';
import { type Row, sum } from './lending-plan.js';

/**
 * Lending for the plain bank: every instalment of a plan is a row with what is still to pay of it, made when a project is lent out, and
 * penalty is added day by day. Ids are bare digits, amounts minor units, times milliseconds, rates millionths a year.
 */
export interface ModelProjectTerms {
  readonly projectNo: string;
  readonly borrower: string;
  readonly guarantor: string | undefined;
  readonly amount: bigint;
  readonly months: number;
  readonly rate: bigint;
  readonly penaltyRate: bigint;
  readonly method: 'annuity' | 'equal-principal' | 'interest-first' | 'bullet';
  /** Basis points. */
  readonly lendFee: bigint;
  readonly interestFee: bigint;
  readonly least: bigint | undefined;
  readonly most: bigint | undefined;
  /** A day, at its beginning. */
  readonly until: string;
  /** Whose money it is lent with, and who gets it; absent: of lenders alone, to the borrower. */
  readonly mode?: 'direct' | 'advance' | 'entrusted';
  /** Whom the borrower had signed for that he is paid in his place. */
  readonly payee?: string | undefined;
}

/** What two people of the bank agreed that a platform may do beyond lending directly; its accounts stay once they are opened. */
export interface ModelModes {
  readonly advance: bigint | undefined;
  readonly entrusted: boolean;
  readonly reserve: boolean;
  readonly advanceAccount: string | undefined;
  readonly reserveAccount: string | undefined;
}

export interface ModelClaim {
  readonly id: string;
  readonly account: string;
  left: bigint;
  earned: bigint;
}

export interface ModelProject extends ModelProjectTerms {
  readonly id: string;
  readonly platform: string;
  readonly said: Set<string>;
  readonly by: Map<string, string>;
  state: 'registered' | 'raising' | 'full' | 'lent' | 'repaid' | 'miscarried' | 'cancelled';
  lentOn: string;
  rows: Row[];
  readonly claims: ModelClaim[];
  /** How often it was paid on. */
  payments: number;
  readonly paid: { id: string; payer: string; left: bigint }[];
}

export interface ModelBid {
  readonly id: string;
  readonly project: ModelProject;
  readonly account: string;
  own: bigint;
  marketing: bigint;
  state: 'open' | 'lent' | 'freed';
}

/** What of the plain bank lending uses. */
export interface LendingHands {
  now(): number;
  no(code: string): never;
  date(platform: string): string;
  profile(platform: string): string;
  /** Whether it is wound up, and takes nothing new. */
  ending(platform: string): boolean;
  own(platform: string, purpose: string): string;
  value(parameter: string): bigint;
  /** Undefined of another platform's. */
  type(platform: string, account: string): string | undefined;
  /** Whose it is: a customer, or the account itself. */
  owner(account: string): string;
  free(account: string): bigint;
  /** Why its owner may do nothing with it. */
  mayAct(account: string): void;
  /** Why the law would not let so much leave it. */
  mayLeave(account: string, amount: bigint): void;
  willed(given: Given, of: { account: string; amount: bigint; project: string }): void;
  hold(account: string, amount: bigint): void;
  move(
    given: Given,
    takes: readonly { from: string; amount: bigint; freed?: bigint }[],
    gives: readonly { to: string; amount: bigint }[],
    will?: { account: string; amount: bigint; project: string },
  ): void;
  frozen(account: string): boolean;
  /** Refused where a court or a dispute would keep what comes to it. */
  passes(account: string): void;
}

export interface LendingData {
  readonly projectNo: string;
  readonly account: string;
  readonly from: string;
  readonly to?: string;
  readonly bid: string;
  readonly compensation: string;
  readonly way: 'direct' | 'indirect';
  readonly of: 'due' | 'early' | 'part-early';
  readonly amount?: { readonly amount: number };
  readonly marketing?: { readonly amount: number };
}

export const DIRECT_ALONE: ModelModes = {
  ...{ advance: undefined, entrusted: false, reserve: false, advanceAccount: undefined, reserveAccount: undefined },
};

/** So many lenders at the most. */
export const BIDS_MAX = 1_000n;
export const DAY = 86_400_000;
export const bare = (wire: string) => wire.slice(4);
export const dataOf = ({ data }: Given) => data as unknown as LendingData;
export interface Parts {
  principal: bigint;
  interest: bigint;
  penalty: bigint;
}

/** The principal that was not paid back. */
export const leftOf = ({ claims }: Pick<ModelProject, 'claims'>): bigint => sum(claims.map(({ left }) => left));
