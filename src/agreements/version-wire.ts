import { z } from 'zod';
import { type BusinessDate, type Id, type Instant, toRfc3339, toWire } from '../kernel/index.js';
import { askedSchema, businessDateSchema, requestNo, rfc3339Schema, showAsked, type Vault, wireId } from '../runtime/index.js';
import type { explainRule, Party } from './rules.js';
import { askedOf } from './sign.js';
import { VERSION_STATES } from './states.js';
import type { Agreement, Signature, StoredVersion } from './store.js';
import { type Submission, signersOf } from './submit.js';
import type { Fault } from './version-check.js';
import { showTerms, termsSchema } from './wire.js';

/** How agreements and their versions look on the wire. */
const VERSION_MAX = 100_000;
const versionNo = z.int().min(1).max(VERSION_MAX);

/** What may be wrong with terms, for the document. */
export const TERMS_REFUSALS = [
  ...([
    'RULE_OVER_WHOLE',
    'RULE_LEVEL_UNKNOWN',
    'RULE_LEVEL_UNREACHABLE',
    'RULE_LEVEL_CYCLE',
    'RULE_DEPTH',
    'RULE_TIERS',
  ] as const),
  ...([
    'RULE_BOUNDS',
    'RULE_BASE',
    'RULE_RECEIVERS',
    'RULE_CAP',
    'RULE_PROFIT',
    'RECEIVER_NOT_ALLOWED',
    'ACCOUNT_NOT_FOUND',
  ] as const),
  ...(['AGREEMENT_CAPS', 'CYCLE_INVALID', 'SETTLEMENT_TOO_EARLY', 'AGREEMENT_CATEGORIES', 'AGREEMENT_BACKDATED'] as const),
  ...(['AGREEMENT_DATES', 'AGREEMENT_AMENDS', 'AGREEMENT_OVERLAPS'] as const),
] as const;

export const submission = z
  .strictObject({
    agreementNo: requestNo.meta({ description: "The platform's own number of the agreement; remembered for ever" }),
    version: versionNo.meta({ description: 'Its next version, from 1' }),
    account: wireId('account').meta({ description: "The seller's account" }),
    amends: versionNo.optional().meta({ description: 'For a promotion: the version that it overrides for a while' }),
    validFrom: businessDateSchema.meta({ description: 'The first business date; not before today' }),
    validTo: businessDateSchema.optional().meta({ description: 'The last one; absent: until the next version begins' }),
    terms: termsSchema,
  })
  .meta({ id: 'NewAgreementVersion' });

export function submissionOf({ amends, validTo, ...rest }: z.output<typeof submission>): Submission {
  return { ...rest, amends: amends ?? null, validTo: validTo ?? null };
}

export const foundSchema = z
  .strictObject({
    faults: z.array(z.strictObject({ code: z.string(), pointer: z.string(), detail: z.string() })),
    beyondCap: z.boolean().meta({ description: "The terms go beyond the bank's own cap; it has to accept that explicitly" }),
    signers: z.array(z.string()).meta({ description: 'Accounts whose owners have to sign' }),
  })
  .meta({ id: 'AgreementFound', description: 'What submitting it would say' });

export function showFaults(faults: readonly Fault[]) {
  return faults.map(({ code, pointer, detail }) => ({ code, pointer, detail }));
}

const signerSchema = z.strictObject({
  account: z.string(),
  state: z.enum(['missing', 'asked', 'signed', 'declined', 'lapsed']),
  way: z.enum(['page', 'paper']).nullable(),
  signature: z
    .string()
    .nullable()
    .meta({ description: 'Its receipt is at /v1/receipts/{signature} where it was given on a page' }),
  consent: askedSchema.optional(),
  signedAt: rfc3339Schema.nullable(),
});

const versionFields = {
  id: z.string().meta({ example: 'agv_2236512894231552003' }),
  agreement: z.string().meta({ example: 'agr_2236512894231552003' }),
  agreementNo: z.string(),
  account: z.string(),
  version: z.int(),
  amends: z.int().nullable(),
  group: z.string().nullable().meta({ description: 'Where it was submitted together with others' }),
  validFrom: z.string(),
  validTo: z.string().nullable(),
  state: z.enum(VERSION_STATES),
  standing: z
    .enum(['ahead', 'in-force', 'ended'])
    .nullable()
    .meta({ description: 'Of an approved version, on the open business date' }),
  signers: z.array(signerSchema),
  terms: termsSchema,
  submittedAt: rfc3339Schema,
  countersignedAt: rfc3339Schema.nullable(),
  checkedAt: rfc3339Schema.nullable(),
  decidedAt: rfc3339Schema.nullable(),
};
export const versionSchema = z.strictObject(versionFields).meta({ id: 'AgreementVersion' });

/** A version with all that is shown beside it. */
export interface VersionView {
  readonly agreement: Agreement;
  readonly version: StoredVersion;
  readonly signatures: readonly Signature[];
  readonly businessDate: BusinessDate;
}

export function showVersion({ agreement, version, signatures, businessDate }: VersionView): z.input<typeof versionSchema> {
  const at = (instant: Instant | null) => (instant === null ? null : toRfc3339(instant));
  return {
    id: toWire('version', version.id),
    agreement: toWire('agreement', version.agreementId),
    agreementNo: agreement.agreementNo,
    account: toWire('account', version.accountId),
    version: version.version,
    amends: version.amends,
    group: version.groupId === null ? null : toWire('group', version.groupId),
    validFrom: version.validFrom,
    validTo: version.validTo,
    state: version.state,
    standing: standingOf(version, businessDate),
    signers: signersOf(version).map((account) => showSigner(account, lastOf(account, signatures))),
    terms: showTerms(version.terms),
    submittedAt: toRfc3339(version.submittedMs),
    countersignedAt: at(version.countersignedMs),
    checkedAt: at(version.checkedMs),
    decidedAt: at(version.decidedMs),
  };
}

function standingOf({ state, validFrom, validTo }: StoredVersion, date: BusinessDate) {
  if (state !== 'approved') return null;
  if (date < validFrom) return 'ahead';
  return validTo !== null && validTo < date ? 'ended' : 'in-force';
}

const lastOf = (account: Id, signatures: readonly Signature[]) =>
  signatures.findLast((signature) => signature.accountId === account);

function showSigner(account: Id, signature: Signature | undefined): z.input<typeof signerSchema> {
  const asked = signature && askedOf(signature);
  return {
    account: toWire('account', account),
    state: signature?.state ?? 'missing',
    way: signature?.way ?? null,
    signature: signature === undefined ? null : toWire('signature', signature.id),
    ...(asked === undefined ? {} : { consent: showAsked(asked) }),
    signedAt: signature?.signedMs == null ? null : toRfc3339(signature.signedMs),
  };
}

export const staffVersionSchema = z
  .strictObject({
    ...versionFields,
    platform: z.string(),
    beyondCap: z.boolean(),
    checkedBy: z.string().nullable(),
    decidedBy: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Why it was refused' }),
    papers: z.array(z.strictObject({ account: z.string(), voucher: z.string(), recordedBy: z.string() })),
  })
  .meta({ id: 'StaffAgreementVersion' });

export function showStaffVersion(vault: Vault, view: VersionView, cap: bigint): z.input<typeof staffVersionSchema> {
  const { version, signatures } = view;
  const operator = (id: Id | null) => (id === null ? null : toWire('operator', id));
  return {
    ...showVersion(view),
    platform: toWire('platform', version.platformId),
    beyondCap: version.terms.othersCap > cap,
    checkedBy: operator(version.checkedBy),
    decidedBy: operator(version.decidedBy),
    reason: version.reasonSealed === null ? null : vault.open(version.reasonSealed),
    papers: signatures.flatMap(({ accountId, voucherSealed, recordedBy }) =>
      voucherSealed === null || recordedBy === null
        ? []
        : [
            {
              account: toWire('account', accountId),
              voucher: vault.open(voucherSealed),
              recordedBy: toWire('operator', recordedBy),
            },
          ],
    ),
  };
}

export const agreementSchema = z
  .strictObject({
    id: z.string(),
    agreementNo: z.string(),
    account: z.string(),
    inForce: z.int().nullable().meta({ description: 'The version in force on the open business date' }),
    createdAt: rfc3339Schema,
  })
  .meta({ id: 'Agreement' });

export function showAgreement(
  { id, agreementNo, accountId, createdMs }: Agreement,
  inForce: number | undefined,
): z.input<typeof agreementSchema> {
  return {
    id: toWire('agreement', id),
    agreementNo,
    account: toWire('account', accountId),
    inForce: inForce ?? null,
    createdAt: toRfc3339(createdMs),
  };
}

const minor = z.int().meta({ description: 'Minor units' });
const party = z.string().meta({ description: 'seller, commission or an account' });
export const evaluationSchema = z
  .strictObject({
    version: z.int(),
    whole: minor,
    shares: z.array(z.strictObject({ receiver: party, amount: minor })).meta({ description: 'Their sum is the whole' }),
    lines: z.array(
      z.strictObject({
        level: z.string(),
        line: z.union([z.int(), z.enum(['remainder', 'over-bounds'])]),
        to: z.union([party, z.strictObject({ level: z.string() })]),
        amount: minor,
      }),
    ),
  })
  .meta({ id: 'SplitEvaluation' });

export function showEvaluation(
  version: number,
  whole: bigint,
  { shares, parts }: ReturnType<typeof explainRule>,
): z.input<typeof evaluationSchema> {
  const name = (of: Party) => (of === 'seller' || of === 'commission' ? of : toWire('account', of));
  return {
    version,
    whole: Number(whole),
    shares: shares.map(({ receiver, amount }) => ({ receiver: name(receiver), amount: Number(amount) })),
    lines: parts.map(({ level, line, receiver, amount }) => ({
      ...{ level, line, amount: Number(amount) },
      to: typeof receiver === 'string' ? name(receiver) : receiver,
    })),
  };
}

/** Said by whoever checks or approves. */
export const acceptedCap = z.int().min(0).max(10_000).transform(BigInt).optional().meta({
  description: "Where the terms go beyond the bank's cap for others than the seller: theirs again, in basis points",
});
