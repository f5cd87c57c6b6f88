import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/** What the engine sees of a consent: whose it is, for what, and how it was answered. */
export interface Consent {
  readonly id: Id;
  /** The instruction that it was asked for. */
  readonly instruction: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly needs: Factors;
  readonly state: ConsentState;
  readonly expiresMs: Instant;
  /** Blind index of the bound card that was shown; null where none was. */
  readonly cardIndex: Buffer | null;
  /** SHA-256 over kind, account, payee, amount and order as they were shown. */
  readonly digest: Buffer;
}

/** What the customer gives: his trade password, the code from the bank's SMS, or both. */
export const FACTORS = ['password', 'sms', 'both'] as const;
export type Factors = (typeof FACTORS)[number];

/**
 * pending: asked. given: answered yes, with the factors asked for. used: the instruction was decided. declined: answered no.
 * expired: not answered in time. locked: too many wrong attempts.
 */
export const CONSENT_STATES = ['pending', 'given', 'used', 'declined', 'expired', 'locked'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

interface ConsentRow {
  id: string;
  subject_id: string;
  platform_id: string;
  customer_id: string;
  needs: Factors;
  state: ConsentState;
  expires_ms: string;
  card_index: Buffer | null;
  digest: Buffer;
}

/** Consents by the instruction that they were asked for. */
export const consentRecords: RecordType<Consent> = {
  name: 'consent',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ConsentRow>(
      `SELECT id, subject_id, platform_id, customer_id, needs, state, expires_ms, card_index, digest FROM consents
       WHERE subject = 'instruction' AND subject_id IN (${keys.join()})`,
    );
    return new Map(
      rows.map((row) => [
        row.subject_id,
        {
          id: asId(row.id),
          instruction: asId(row.subject_id),
          platformId: asId(row.platform_id),
          customerId: asId(row.customer_id),
          needs: row.needs,
          state: row.state,
          expiresMs: Number(row.expires_ms) as Instant,
          cardIndex: row.card_index,
          digest: row.digest,
        },
      ]),
    );
  },
  /** The only change that an instruction makes: its consent is used. */
  saving: (consents) => `UPDATE consents SET state = 'used' WHERE id IN (${consents.map((consent) => consent.id).join()})`,
};

/** A standing authorisation (授权): what a platform may do with one account of a customer without asking each time. */
export interface Mandate {
  readonly id: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly accountId: Id;
  /** Names of the kinds of instruction that it covers. */
  readonly kinds: readonly string[];
  readonly payees: MandatePayees;
  readonly paymentCap: Minor;
  readonly totalCap: Minor;
  readonly period: MandatePeriod | null;
  /** For one natural day or calendar month; null without a period. */
  readonly periodCap: Minor | null;
  readonly expiresMs: Instant;
  readonly state: MandateState;
  readonly usedTotal: Minor;
  readonly usedPeriod: Minor;
  /** The period that `usedPeriod` counts: `2026-03-02` or `2026-03`. */
  readonly periodKey: string;
  readonly useCount: number;
}
/** pending: put to the customer. declined, lapsed: he said no, or did not answer. revoked: by him or by the platform. */
export type MandateState = 'pending' | 'active' | 'declined' | 'lapsed' | 'revoked';
export type MandatePeriod = 'day' | 'month';
/** Orders of the platform, projects that are lent to and funds there, named accounts of its book, or several of these. */
export interface MandatePayees {
  readonly orders: boolean;
  readonly projects: boolean;
  readonly funds: boolean;
  readonly accounts: readonly Id[];
}

export interface MandateRow {
  id: string;
  platform_id: string;
  customer_id: string;
  account_id: string;
  kinds: string;
  pays_orders: number;
  pays_projects: number;
  pays_funds: number;
  payees: string;
  payment_cap: string;
  total_cap: string;
  period: MandatePeriod | null;
  period_cap: string | null;
  expires_ms: string;
  state: Mandate['state'];
}
/** What a use says of all that was used by then. */
export type LastUse = Pick<UseRow, 'mandate_id' | 'seq' | 'used_total' | 'used_period' | 'period_key'>;

const listed = (text: string): string[] => (text === '' ? [] : text.split(','));

/** @param last its last use, undefined when there was none */
export function mandateOf(row: MandateRow, last: LastUse | undefined): Mandate {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    customerId: asId(row.customer_id),
    accountId: asId(row.account_id),
    kinds: listed(row.kinds),
    payees: {
      orders: Number(row.pays_orders) === 1,
      projects: Number(row.pays_projects) === 1,
      funds: Number(row.pays_funds) === 1,
      accounts: listed(row.payees) as Id[],
    },
    paymentCap: BigInt(row.payment_cap),
    totalCap: BigInt(row.total_cap),
    period: row.period,
    periodCap: row.period_cap === null ? null : BigInt(row.period_cap),
    expiresMs: Number(row.expires_ms) as Instant,
    state: row.state,
    usedTotal: BigInt(last?.used_total ?? 0),
    usedPeriod: BigInt(last?.used_period ?? 0),
    periodKey: last?.period_key ?? '',
    useCount: Number(last?.seq ?? 0),
  };
}

const COLUMNS =
  'id, platform_id, customer_id, account_id, kinds, pays_orders, pays_projects, pays_funds, payees, payment_cap, total_cap, period, period_cap, expires_ms, state';

/** The last uses of mandates, by mandate: a read of its own is faster than one that joins the mandates. */
export async function lastUseOf(tx: Tx, mandateIds: readonly string[]): Promise<Map<string, LastUse>> {
  if (mandateIds.length === 0) return new Map();
  const uses = await tx.rows<LastUse>(
    `SELECT u.mandate_id, u.seq, u.used_total, u.used_period, u.period_key FROM mandate_uses AS u
     JOIN (SELECT mandate_id, MAX(seq) AS seq FROM mandate_uses WHERE mandate_id IN (${mandateIds.join()}) GROUP BY mandate_id) AS l
       ON l.mandate_id = u.mandate_id AND l.seq = u.seq`,
  );
  return new Map(uses.map((use) => [use.mandate_id, use]));
}

/**
 * Mandates by id, with what their last use says was used by then. An instruction only counts its use, which is a row of its own;
 * everything else of a mandate is changed by its customer.
 */
export const mandateRecords: RecordType<Mandate> = {
  name: 'mandate',
  accountsOf: (mandate) => [mandate.accountId],
  async load(tx, keys) {
    const [rows, last] = await Promise.all([
      tx.rows<MandateRow>(`SELECT ${COLUMNS} FROM mandates WHERE id IN (${keys.join()})`),
      lastUseOf(tx, keys),
    ]);
    return new Map(rows.map((row) => [row.id, mandateOf(row, last.get(row.id))]));
  },
  saving: () => undefined,
};

/** One use of a mandate. */
export interface MandateUse {
  readonly instruction: Id;
  readonly mandateId: Id;
  /** Its place among the uses, from 1. */
  readonly seq: number;
  readonly amount: Minor;
  /** With this use, in all and in the period. */
  readonly usedTotal: Minor;
  readonly usedPeriod: Minor;
  readonly periodKey: string;
  readonly usedMs: Instant;
}

export interface UseRow {
  instruction_id: string;
  mandate_id: string;
  seq: number;
  amount: string;
  used_total: string;
  used_period: string;
  period_key: string;
  used_ms: string;
}

export function useOf(row: UseRow): MandateUse {
  return {
    instruction: asId(row.instruction_id),
    mandateId: asId(row.mandate_id),
    seq: Number(row.seq),
    amount: BigInt(row.amount),
    usedTotal: BigInt(row.used_total),
    usedPeriod: BigInt(row.used_period),
    periodKey: row.period_key,
    usedMs: Number(row.used_ms) as Instant,
  };
}

/** Uses of mandates by instruction: written once, never changed. */
export const mandateUseRecords: RecordType<MandateUse> = {
  name: 'mandate-use',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<UseRow>(`SELECT * FROM mandate_uses WHERE instruction_id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.instruction_id, useOf(row)]));
  },
  saving(uses) {
    const rows = uses.map(
      (use) =>
        `${use.mandateId},${use.seq},${use.instruction},${use.amount},${use.usedTotal},${use.usedPeriod},'${use.periodKey}',${use.usedMs}`,
    );
    return `INSERT INTO mandate_uses (mandate_id, seq, instruction_id, amount, used_total, used_period, period_key, used_ms)
       VALUES ${sql.tuples(rows)}`;
  },
};
