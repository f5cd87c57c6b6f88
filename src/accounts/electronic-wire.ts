import { z } from 'zod';
import { maskMobile, REFUSALS, type Refusal, type RefusalCode, toRfc3339, toWire } from '../kernel/index.js';
import { mobileSchema } from '../parties/index.js';
import { askedSchema, moneySchema, requestNo, rfc3339Schema, showAsked, type Vault, wireId } from '../runtime/index.js';
import type { AccountChange } from './life/store.js';
import { type AskedCard, type Card, maskedCard } from './opening/rules.js';
import type { Opening } from './opening/store.js';
import type { ElectronicView, Quotas } from './quota.js';
import { settlementAccountSchema } from './wire.js';

/** What the routes of electronic accounts take and answer. */
const classSchema = z.union([z.literal(2), z.literal(3)]).meta({ description: '2: Class Ⅱ; 3: Class Ⅲ' });
const { account: cardNumber, bankCode } = settlementAccountSchema.shape;
const changeNo = requestNo.meta({ description: "The platform's own number of the change; remembered for ever" });
const minor = z.int().meta({ description: 'Minor units' });
const date = z.string().meta({ format: 'date', example: '2026-03-02' });

export const openingRequest = z
  .strictObject({
    openingNo: requestNo.meta({ description: "The platform's own number of the opening; remembered for ever" }),
    user: wireId('user'),
    class: classSchema,
    card: z.strictObject({ account: cardNumber.optional(), bankCode, mobile: mobileSchema.optional() }).meta({
      description: 'The account to be bound. What is missing is found with all other faults, not as a fault of the shape',
    }),
  })
  .meta({ id: 'NewElectronicAccount' });
export const dryRunRequest = openingRequest.omit({ openingNo: true });

const fullCard = z.strictObject({ account: cardNumber, bankCode, mobile: mobileSchema });
export const cardChangeRequest = z.strictObject({ changeNo, card: fullCard }).meta({ id: 'NewBoundCard' });
export const mobileChangeRequest = z.strictObject({ changeNo, mobile: mobileSchema }).meta({ id: 'NewMobile' });
export const reverificationRequest = z.strictObject({ changeNo });
export const thoughtRequest = z
  .strictObject({
    direction: z.enum(['in', 'out']),
    amount: moneySchema,
    with: z.enum(['bound', 'other']).meta({ description: 'The bound card, or anybody else' }),
  })
  .meta({ id: 'ThoughtMovement' });

const faultsSchema = z.array(z.strictObject({ code: z.string(), pointer: z.string(), detail: z.string() }));
const warningsSchema = z
  .array(z.strictObject({ code: z.enum(['BANK_CODE_CHECK', 'ACCOUNT_NUMBER_CHECK']), pointer: z.string(), detail: z.string() }))
  .meta({ description: 'What looks wrong and was accepted all the same' });
export const findingsSchema = z.strictObject({ faults: faultsSchema, warnings: warningsSchema });

/** A "no" within an answer that is no problem document. */
const reasonSchema = z
  .looseObject({ code: z.enum(Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]]), title: z.string(), zh: z.string() })
  .meta({ id: 'Reason', description: 'Why not: the code, its words in both languages, and what there is to say besides' });

export function showReason({ code, detail, fields }: Refusal): z.output<typeof reasonSchema> {
  const { en, zh } = REFUSALS[code];
  return { ...fields, code, title: en, zh, ...(detail === undefined ? {} : { detail }) };
}

const maskedCardSchema = z.strictObject({
  account: z.string().meta({ example: '622848*********8903' }),
  bankCode: z.string().meta({ description: 'Empty for the custodian itself' }),
});

export const openingAnswer = z
  .strictObject({
    id: z.string().meta({ example: 'opn_2236512894231552003' }),
    openingNo: z.string(),
    user: z.string(),
    class: classSchema,
    card: z.strictObject({ account: z.string().nullable(), bankCode: z.string() }),
    state: z.enum(['pending', 'opened', 'refused']),
    account: z.string().nullable().meta({ description: 'The electronic account, once it is opened' }),
    refusal: reasonSchema.nullable().meta({ description: 'Why it was refused, with every fault' }),
    createdAt: rfc3339Schema,
    decidedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'ElectronicAccountOpening' });

export function showOpening(vault: Vault, o: Opening): z.output<typeof openingAnswer> {
  const { account, bankCode: of } = JSON.parse(vault.open(o.cardSealed)) as AskedCard;
  return {
    id: toWire('opening', o.id),
    openingNo: o.openingNo,
    user: toWire('user', o.userId),
    class: o.class,
    card: account === undefined ? { account: null, bankCode: of } : maskedCard({ account, bankCode: of }),
    state: o.state,
    account: o.accountId === null ? null : toWire('account', o.accountId),
    refusal: o.refusal === null ? null : showReason(o.refusal),
    createdAt: toRfc3339(o.createdMs),
    decidedAt: o.decidedMs === null ? null : toRfc3339(o.decidedMs),
  };
}

export const quotasSchema = z
  .strictObject({
    on: date,
    per: z
      .enum(['account', 'customer'])
      .meta({ description: 'Whether the buckets count all accounts of the class of one person' }),
    buckets: z.array(
      z.strictObject({
        bucket: z.enum(['out.day', 'out.year', 'in.day', 'in.year']),
        limit: minor,
        used: minor.nullable().meta({ description: 'Minor units; null on a past day' }),
        left: minor.nullable(),
      }),
    ),
    balance: z
      .strictObject({ cap: minor, room: minor.nullable().meta({ description: 'How much more may come in; null on a past day' }) })
      .nullable()
      .meta({ description: 'The most that may stand on the account; null: no cap' }),
  })
  .meta({ id: 'Quotas', description: 'What the law leaves an account on a natural day' });

const number = (value: bigint) => Number(value);
const numberOrNull = (value: bigint | null) => (value === null ? null : Number(value));

export function showQuotas({ on, perCustomer, buckets, balance }: Quotas): z.output<typeof quotasSchema> {
  return {
    on,
    per: perCustomer ? 'customer' : 'account',
    buckets: buckets.map(({ bucket, limit, used, left }) => ({
      bucket,
      limit: number(limit),
      used: numberOrNull(used),
      left: numberOrNull(left),
    })),
    balance: balance === null ? null : { cap: number(balance.cap), room: numberOrNull(balance.room) },
  };
}

export const verdictSchema = z.strictObject({
  passes: z.boolean(),
  refusal: reasonSchema.nullable().meta({ description: 'The code with which an instruction would be refused now' }),
});

export const electronicSchema = z
  .strictObject({
    id: z.string().meta({ example: 'acc_2236512894231552003' }),
    class: classSchema,
    virtualNo: z.string().meta({ description: 'Its number, 19 digits', example: '9156000000000000003' }),
    user: z.string(),
    state: z.enum(['active', 'blocked', 'closing', 'closed']),
    frozen: z.boolean().meta({ description: 'Nothing leaves it' }),
    standing: reasonSchema.nullable().meta({ description: 'Why its owner may do no business with it now; null: he may' }),
    card: z.strictObject({ ...maskedCardSchema.shape, class: z.enum(['1', '2', '3', 'credit']) }),
    faceToFace: z.boolean().meta({ description: 'The bank has seen the owner: others may pay into a Class Ⅱ account' }),
    funded: z.boolean().meta({ description: 'The bound card has paid in: others may pay into a Class Ⅲ account' }),
    balance: minor,
    quotas: quotasSchema,
    openedAt: rfc3339Schema,
    closedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'ElectronicAccount' });

export function showElectronic({
  account: a,
  card,
  balance,
  frozen,
  standing,
  quotas,
}: ElectronicView): z.output<typeof electronicSchema> {
  return {
    id: toWire('account', a.accountId),
    class: a.class,
    virtualNo: a.virtualNo,
    user: toWire('user', a.userId),
    state: a.state,
    frozen,
    standing: standing === undefined ? null : showReason(standing),
    card: { ...maskedCard(card), class: a.cardClass },
    faceToFace: a.faceToFace,
    funded: a.funded,
    balance: Number(balance),
    quotas: showQuotas(quotas),
    openedAt: toRfc3339(a.openedMs),
    closedAt: a.closedMs === null ? null : toRfc3339(a.closedMs),
  };
}

/** The same for the bank's staff, who see the accounts of all platforms. */
export const staffElectronicSchema = z
  .strictObject({ ...electronicSchema.shape, platform: z.string().meta({ example: 'plt_2236512894231552001' }) })
  .meta({ id: 'StaffElectronicAccount' });

export function showStaffElectronic(view: ElectronicView): z.output<typeof staffElectronicSchema> {
  return { ...showElectronic(view), platform: toWire('platform', view.account.platformId) };
}

export const changeSchema = z
  .strictObject({
    id: z.string().meta({ example: 'chg_2236512894231552003' }),
    changeNo: z.string().nullable().meta({ description: 'null: the bank itself asked for it' }),
    kind: z.enum(['card', 'mobile', 'identity']),
    account: z.string(),
    to: z.string().nullable().meta({ description: 'The new card or mobile number, masked' }),
    state: z.enum(['proposed', 'asked', 'pending', 'done', 'refused']).meta({
      description: 'proposed: waits for a second member of staff; asked: waits for the customer; pending: is being verified',
    }),
    consent: askedSchema.optional(),
    refusal: reasonSchema.nullable(),
    createdAt: rfc3339Schema,
    decidedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'AccountChange', description: 'A change of the bound card or mobile number, or a new check of the identity' });

export function showChange(vault: Vault, c: AccountChange): z.output<typeof changeSchema> {
  return {
    id: toWire('change', c.id),
    changeNo: c.changeNo,
    kind: c.kind,
    account: toWire('account', c.accountId),
    to: maskedTo(vault, c),
    state: c.state,
    ...(c.state === 'asked' && c.asked !== null ? { consent: showAsked(c.asked) } : {}),
    refusal: c.refusal === null ? null : showReason(c.refusal),
    createdAt: toRfc3339(c.createdMs),
    decidedAt: c.decidedMs === null ? null : toRfc3339(c.decidedMs),
  };
}

export const proposalSchema = z
  .strictObject({
    ...changeSchema.shape,
    askedBy: z.string().meta({ description: 'Who of the staff asked for it; somebody else approves' }),
    reason: z.string(),
  })
  .meta({ id: 'ProposedChange' });

export function showProposal(vault: Vault, c: AccountChange): z.output<typeof proposalSchema> {
  return {
    ...showChange(vault, c),
    askedBy: c.askedBy === null ? '' : toWire('operator', c.askedBy),
    reason: c.reasonSealed === null ? '' : vault.open(c.reasonSealed),
  };
}

function maskedTo(vault: Vault, { kind, toSealed }: AccountChange): string | null {
  if (kind === 'identity') return null;
  const to = vault.open(toSealed);
  return kind === 'mobile' ? maskMobile(to) : maskedCard(JSON.parse(to) as Card).account;
}
