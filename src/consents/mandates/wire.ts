import { z } from 'zod';
import { type Id, type Instant, toRfc3339, toWire, toWireAmount } from '../../kernel/index.js';
import { askedSchema, instantSchema, moneySchema, requestNo, rfc3339Schema, wireId } from '../../runtime/index.js';
import { PROOF_KINDS } from '../policy.js';
import type { MandateUse } from '../records.js';
import type { MandateRequest } from './mandates.js';
import { quotaOf } from './rules.js';
import type { StoredMandate } from './store.js';

/** How mandates look on the wire. */
const PAYEES_MAX = 20;
const kind = z.enum(PROOF_KINDS).exclude(['mandate']);
const unique = (list: readonly string[]) => new Set(list).size === list.length;

export const mandateRequest = z
  .strictObject({
    mandateNo: requestNo.meta({ description: "The platform's own number of the mandate; remembered for ever" }),
    user: wireId('user'),
    account: wireId('account').meta({ description: "The user's electronic account" }),
    kinds: z
      .array(kind)
      .min(1)
      .max(kind.options.length)
      .refine(unique, { error: 'must not repeat a kind' })
      .meta({ description: 'Kinds of instruction that it shall cover; which never take one, GET /v1/proof-policies says' }),
    payees: z
      .strictObject({
        orders: z.boolean().default(false).meta({ description: 'Orders of the platform' }),
        projects: z
          .boolean()
          .default(false)
          .meta({ description: 'Projects of the platform: lending to them, and repaying them' }),
        funds: z.boolean().default(false).meta({ description: 'Units of funds that the account then holds' }),
        accounts: z
          .array(wireId('account'))
          .max(PAYEES_MAX)
          .refine(unique, { error: 'must not repeat an account' })
          .default([])
          .meta({ description: 'Sub-merchants of the platform, by account' }),
      })
      .default({ orders: false, projects: false, funds: false, accounts: [] })
      .meta({ description: 'Who may be paid; a top-up alone names nobody' }),
    paymentCap: moneySchema.meta({ description: 'The most of one payment' }),
    totalCap: moneySchema.meta({ description: 'The most of all payments together' }),
    period: z.enum(['day', 'month']).optional().meta({ description: 'A natural day or calendar month; with a cap of its own' }),
    periodCap: moneySchema.optional(),
    expiresAt: instantSchema.meta({ description: 'The first moment at which it no longer covers anything' }),
  })
  .meta({ id: 'NewMandate' });

export function mandateRequestOf(body: z.output<typeof mandateRequest>): MandateRequest {
  const { paymentCap, totalCap, period, periodCap, expiresAt, ...rest } = body;
  return {
    ...rest,
    paymentCap: paymentCap.amount,
    totalCap: totalCap.amount,
    period: period ?? null,
    periodCap: periodCap?.amount ?? null,
    expiresMs: expiresAt,
  };
}

const minor = z.int().meta({ description: 'Minor units' });
const STATES = ['pending', 'active', 'expired', 'declined', 'lapsed', 'revoked'] as const;

export const mandateSchema = z
  .strictObject({
    mandate: z.string(),
    mandateNo: z.string(),
    user: z.string(),
    account: z.string(),
    kinds: z.array(kind),
    payees: z.strictObject({
      orders: z.boolean(),
      projects: z.boolean(),
      funds: z.boolean(),
      accounts: z.array(z.string()),
    }),
    paymentCap: minor,
    totalCap: minor,
    period: z.enum(['day', 'month']).nullable(),
    periodCap: minor.nullable(),
    expiresAt: rfc3339Schema,
    state: z.enum(STATES).meta({
      description:
        'pending: put to the customer; declined, lapsed: he said no or did not answer; revoked: ended by him or the platform',
    }),
    used: z.strictObject({ total: minor, count: z.int() }),
    remaining: z
      .strictObject({ payment: minor, period: minor.nullable(), total: minor })
      .meta({ description: 'What may still be debited: by one payment now, in this period, in all' }),
    createdAt: rfc3339Schema,
    grantedAt: rfc3339Schema.nullable(),
    revokedAt: rfc3339Schema.nullable(),
    revokedBy: z.enum(['platform', 'customer']).nullable(),
  })
  .meta({ id: 'Mandate' });

export const askedMandateSchema = z
  .strictObject({ ...mandateSchema.shape, consent: askedSchema.optional() })
  .meta({ id: 'AskedMandate' });

export function showMandate(mandate: StoredMandate, nowMs: Instant): z.input<typeof mandateSchema> {
  const quota = quotaOf(mandate, nowMs);
  const at = (instant: Instant | null) => (instant === null ? null : toRfc3339(instant));
  return {
    mandate: toWire('mandate', mandate.id),
    mandateNo: mandate.mandateNo,
    user: toWire('user', mandate.userId),
    account: toWire('account', mandate.accountId),
    kinds: mandate.kinds as z.input<typeof kind>[],
    payees: { ...mandate.payees, accounts: mandate.payees.accounts.map((id: Id) => toWire('account', id)) },
    paymentCap: toWireAmount(mandate.paymentCap),
    totalCap: toWireAmount(mandate.totalCap),
    period: mandate.period,
    periodCap: mandate.periodCap === null ? null : toWireAmount(mandate.periodCap),
    expiresAt: toRfc3339(mandate.expiresMs),
    state: stateOf(mandate, nowMs),
    used: { total: toWireAmount(mandate.usedTotal), count: mandate.useCount },
    remaining: {
      payment: toWireAmount(quota.payment),
      period: quota.period === null ? null : toWireAmount(quota.period),
      total: toWireAmount(quota.total),
    },
    createdAt: toRfc3339(mandate.createdMs),
    grantedAt: at(mandate.grantedMs),
    revokedAt: at(mandate.revokedMs),
    revokedBy: mandate.revokedBy,
  };
}

export function stateOf({ state, expiresMs }: StoredMandate, nowMs: Instant): (typeof STATES)[number] {
  return state === 'active' && nowMs >= expiresMs ? 'expired' : state;
}

export const useSchema = z
  .strictObject({
    use: z.int().meta({ description: 'Its place among the uses, from 1' }),
    instruction: z.string().meta({ description: 'Its receipt is at /v1/receipts/{subject}' }),
    amount: minor,
    usedAt: rfc3339Schema,
  })
  .meta({ id: 'MandateUse' });

export function showUse({ seq, instruction, amount, usedMs }: MandateUse): z.input<typeof useSchema> {
  return { use: seq, instruction: toWire('instruction', instruction), amount: toWireAmount(amount), usedAt: toRfc3339(usedMs) };
}
