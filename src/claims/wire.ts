import { z } from 'zod';
import { type Minor, maskCardNumber, toRfc3339, toWire } from '../kernel/index.js';
import { bankCodeSchema, moneySchema, rfc3339Schema, type Vault } from '../runtime/index.js';
import type { Dispute } from './records.js';
import { type Claim, claimLeft } from './rules.js';
import { DEDUCTION_TRANSITIONS, DISPUTE_TRANSITIONS, FREEZE_TRANSITIONS } from './states.js';
import type { DeductionView, Freeze, JudicialOrder } from './store.js';

const minor = z.int().meta({ description: 'Minor units (fen)' });
const date = z.string().meta({ format: 'date' });
const keysOf = <States extends object>(states: States) =>
  z.enum(Object.keys(states) as [Extract<keyof States, string>, ...Extract<keyof States, string>[]]);

export const disputeSchema = z
  .strictObject({
    dispute: z.string().meta({ example: 'dsp_2236512894231552003' }),
    orderNo: z.string(),
    account: z.string().nullable().meta({ description: 'The receiver of whose part some is held' }),
    state: keysOf(DISPUTE_TRANSITIONS),
    openedBy: z.enum(['platform', 'bank']),
    amount: minor.meta({ description: 'What is disputed' }),
    held: minor.meta({ description: 'What is held of it now; the rest is held as it comes in' }),
    heldOnOrder: minor,
    heldOnAccount: minor,
    givenBack: minor.meta({ description: 'What went back from the receiver to the order when it was upheld' }),
    reason: z.string(),
    expiresAt: rfc3339Schema,
    openedAt: rfc3339Schema,
    endedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Dispute' });

/** @param held what it has of the order's money and of the receiver's */
export function showDispute(vault: Vault, dispute: Dispute, held: { readonly onOrder: Minor; readonly onReceiver: Minor }) {
  return {
    dispute: toWire('dispute', dispute.id),
    orderNo: dispute.orderNo,
    account: dispute.receiverId === null ? null : toWire('account', dispute.receiverId),
    state: dispute.state,
    openedBy: dispute.ofBank ? ('bank' as const) : ('platform' as const),
    amount: dispute.amount,
    held: held.onOrder + held.onReceiver,
    heldOnOrder: held.onOrder,
    heldOnAccount: held.onReceiver,
    givenBack: dispute.givenBack,
    reason: vault.read(dispute.reason),
    expiresAt: toRfc3339(dispute.deadlineMs),
    openedAt: toRfc3339(dispute.openedMs),
    endedAt: dispute.endedMs === null ? null : toRfc3339(dispute.endedMs),
  };
}

export const freezeSchema = z
  .strictObject({
    freeze: z.string().meta({ example: 'frz_2236512894231552003' }),
    account: z.string(),
    state: keysOf(FREEZE_TRANSITIONS),
    authority: z.string(),
    documentNo: z.string(),
    amount: minor.nullable().meta({ description: 'What was to be frozen; null: all that is there and comes in' }),
    left: minor.nullable().meta({ description: 'What of it is neither lifted nor deducted; null: all' }),
    held: minor.meta({ description: 'What of it is there now, behind what was frozen before' }),
    lifted: minor,
    deducted: minor,
    place: z.int().nullable().meta({ description: 'Its place among the claims on the account; null once it has ended' }),
    from: date,
    until: date.meta({ description: 'Its last day', format: 'date' }),
    createdAt: rfc3339Schema,
    createdBy: z.string(),
    endedAt: rfc3339Schema.nullable(),
    orders: z
      .array(
        z.strictObject({
          what: z.enum(['renew', 'lift']),
          documentNo: z.string(),
          amount: minor.nullable(),
          until: date.nullable(),
          givenBy: z.string(),
          givenAt: rfc3339Schema,
        }),
      )
      .optional()
      .meta({ description: 'What other documents changed about it' }),
  })
  .meta({ id: 'JudicialFreeze' });

export function showFreeze(
  freeze: Freeze,
  claim: Claim,
  held: Minor,
  orders?: readonly JudicialOrder[],
): z.output<typeof freezeSchema> | Record<string, unknown> {
  const of = (amount: Minor) => (freeze.whole ? null : amount);
  return {
    freeze: toWire('freeze', freeze.id),
    account: toWire('account', freeze.accountId),
    state: freeze.state,
    authority: freeze.authority,
    documentNo: freeze.documentNo,
    amount: of(claim.amount),
    left: claim.endedMs === null ? of(claimLeft(claim)) : 0n,
    held,
    lifted: freeze.whole ? 0n : claim.letGo,
    deducted: claim.taken,
    place: claim.endedMs === null ? claim.place : null,
    from: freeze.from,
    until: freeze.until,
    createdAt: toRfc3339(freeze.createdMs),
    createdBy: toWire('operator', freeze.createdBy),
    endedAt: freeze.endedMs === null ? null : toRfc3339(freeze.endedMs),
    ...(orders === undefined
      ? {}
      : {
          orders: orders.map(({ what, documentNo, amount, until, givenBy, givenMs }) => ({
            ...{ what, documentNo, amount, until, givenBy: toWire('operator', givenBy), givenAt: toRfc3339(givenMs) },
          })),
        }),
  };
}

const payeeSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(128),
    account: z.string().regex(/^[A-Za-z0-9]{5,34}$/, { error: 'must be 5 to 34 letters and digits' }),
    bankCode: bankCodeSchema.default(''),
  })
  .meta({ description: "The authority's account" });

export const deductionRequest = z.strictObject({
  documentNo: z.string().trim().min(1).max(64),
  amount: moneySchema,
  payee: payeeSchema,
});

export const deductionSchema = z
  .strictObject({
    deduction: z.string().meta({ example: 'ded_2236512894231552003' }),
    freeze: z.string(),
    account: z.string(),
    documentNo: z.string(),
    amount: minor,
    payee: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    state: keysOf(DEDUCTION_TRANSITIONS),
    askedBy: z.string(),
    askedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    instruction: z.string().nullable(),
    refusal: z.string().nullable().meta({ description: 'Why the books refused it after all' }),
    payout: z.string().nullable(),
    payoutState: z.string().nullable(),
  })
  .meta({ id: 'JudicialDeduction' });

export function showDeduction(vault: Vault, { deduction: of, outcome, payoutState }: DeductionView) {
  return {
    deduction: toWire('deduction', of.id),
    freeze: toWire('freeze', of.freezeId),
    account: toWire('account', of.accountId),
    documentNo: of.documentNo,
    amount: of.amount,
    payee: {
      name: vault.read(of.payee.name),
      account: maskCardNumber(vault.read(of.payee.account)),
      bankCode: of.payee.bankCode,
    },
    state: of.state,
    askedBy: toWire('operator', of.askedBy),
    askedAt: toRfc3339(of.askedMs),
    decidedBy: of.decidedBy === null ? null : toWire('operator', of.decidedBy),
    decidedAt: of.decidedMs === null ? null : toRfc3339(of.decidedMs),
    instruction: of.instructionId === null ? null : toWire('instruction', of.instructionId),
    refusal: outcome?.code ?? null,
    payout: of.payoutId === null ? null : toWire('payout', of.payoutId),
    payoutState,
  };
}
