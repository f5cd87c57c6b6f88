import { z } from 'zod';
import { ID_TYPES, maskIdNo, maskMobile, maskName, toRfc3339, toWire } from '../../kernel/index.js';
import { rfc3339Schema, wireId } from '../../runtime/index.js';
import { USER_STATES } from '../states.js';
import { idNoSchema, mobileSchema } from '../wire.js';
import type { Customer, User } from './records.js';
import type { VerificationRecord } from './verification-records.js';
import { maskedUser, showRefusal } from './wire.js';

/** What the bank's staff is shown of customers: masked too. Here also what all routes about customers have in common. */
export const staff = { audience: 'operator', tag: 'Customers' } as const;
export const customerParams = z.strictObject({ customer: wireId('customer') });

export const searchBody = z
  .strictObject({ idType: z.enum(ID_TYPES).optional(), idNo: idNoSchema.optional(), mobile: mobileSchema.optional() })
  .refine(
    (of) => (of.mobile !== undefined) !== (of.idNo !== undefined) && (of.idNo === undefined) === (of.idType === undefined),
    { error: 'needs idType and idNo, or mobile' },
  )
  .meta({ id: 'CustomerSearch' });

export const customerSchema = z
  .strictObject({
    id: z.string().meta({ example: 'cus_2236512894231552003' }),
    kind: z.enum(['person', 'company']),
    name: z.string(),
    idType: z.enum(ID_TYPES),
    idNo: z.string(),
    mobile: z.string().nullable(),
    mobileVerified: z.boolean().meta({ description: 'Whether the bank of a card of his, or the staff, said that it is his' }),
    idExpires: z.string().nullable(),
    documented: z.boolean(),
    stopped: z.string().nullable().meta({ description: 'Why business outside the counter is stopped' }),
    stoppedAt: rfc3339Schema.nullable(),
    idDueAt: rfc3339Schema.nullable().meta({ description: 'Until when a copy of the identity document must be there' }),
    verifiedAt: rfc3339Schema,
  })
  .meta({ id: 'Customer' });

export function showCustomer(customer: Customer): z.output<typeof customerSchema> {
  const { kind, name, idType, stoppedMs, idTaskDueMs } = customer;
  return {
    id: toWire('customer', customer.id),
    kind,
    name: kind === 'person' ? maskName(name) : name,
    idType,
    idNo: maskIdNo(customer.idNo),
    mobile: customer.mobile === null ? null : maskMobile(customer.mobile),
    mobileVerified: customer.mobileVerified,
    idExpires: customer.idExpires,
    documented: customer.documented,
    stopped: customer.stopped,
    stoppedAt: stoppedMs === null ? null : toRfc3339(stoppedMs),
    idDueAt: idTaskDueMs === null ? null : toRfc3339(idTaskDueMs),
    verifiedAt: toRfc3339(customer.verifiedMs),
  };
}

export const knownAsSchema = z.strictObject({
  id: z.string(),
  platform: z.string(),
  userNo: z.string(),
  state: z.enum(USER_STATES),
  refusal: z.string().nullable(),
});

export function showKnownAs(user: User): z.output<typeof knownAsSchema> {
  return {
    id: toWire('user', user.id),
    platform: toWire('platform', user.platformId),
    userNo: user.userNo,
    state: user.state,
    refusal: showRefusal(user.refusal)?.code ?? null,
  };
}

export const verificationSchema = z.strictObject({
  id: z.string(),
  user: z.string(),
  kind: z.enum(['identity', 'elements', 'trial']),
  subject: z.string(),
  result: z.string(),
  evidence: z.string().nullable(),
  askedAt: rfc3339Schema,
  answeredAt: rfc3339Schema,
});

export function showVerification(record: VerificationRecord): z.output<typeof verificationSchema> {
  return {
    id: toWire('verification', record.id),
    user: toWire('user', record.userId),
    kind: record.kind,
    subject: record.subject,
    result: record.result,
    evidence: record.evidence,
    askedAt: toRfc3339(record.askedMs),
    answeredAt: toRfc3339(record.answeredMs),
  };
}

export const showParty = (customer: Customer) => (customer.particulars === null ? null : maskedUser(customer.particulars));
