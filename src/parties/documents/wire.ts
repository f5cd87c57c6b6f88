import { z } from 'zod';
import { maskCardNumber, toRfc3339, toWire } from '../../kernel/index.js';
import { bankCodeSchema, currencySchema, moneySchema, rfc3339Schema, wireId } from '../../runtime/index.js';
import { companyName, idExpires, refusalSchema, showRefusal } from '../users/wire.js';
import type { DocumentRecord, Renewal } from './records.js';
import { DOCUMENT_KINDS, MEDIA_TYPES } from './rules.js';
import { TRIAL_DIRECTIONS } from './trial-records.js';
import type { OpenTrial } from './trials.js';

/** What the routes of documents and of trial payments take and answer. */
export const documentQuery = z.strictObject({ kind: z.enum(DOCUMENT_KINDS) });

export const documentSchema = z
  .strictObject({
    id: z.string().meta({ example: 'doc_2236512894231552003' }),
    kind: z.enum(DOCUMENT_KINDS),
    mediaType: z.enum(MEDIA_TYPES),
    size: z.int(),
    sha256: z.string().meta({ description: 'Of the image as it came, hex' }),
    keptAt: rfc3339Schema,
  })
  .meta({ id: 'Document' });

export function showDocument(document: DocumentRecord): z.output<typeof documentSchema> {
  return {
    id: toWire('document', document.id),
    kind: document.kind,
    mediaType: document.mediaType,
    size: document.size,
    sha256: document.sha256.toString('hex'),
    keptAt: toRfc3339(document.createdMs),
  };
}

/** A kept image as the customer's file tells of it. */
export const keptSchema = z.strictObject({
  id: z.string(),
  user: z.string(),
  kind: z.string(),
  mediaType: z.string(),
  sha256: z.string(),
});

export function showKept({ id, userId, kind, mediaType, sha256 }: DocumentRecord): z.output<typeof keptSchema> {
  return { id: toWire('document', id), user: toWire('user', userId), kind, mediaType, sha256: sha256.toString('hex') };
}

export const validityRequest = z.strictObject({ idExpires, document: wireId('document') });

export const validitySchema = z
  .strictObject({
    state: z.enum(['pending', 'accepted', 'refused']),
    idExpires: z.string().nullable(),
    document: z.string(),
    refusal: refusalSchema.nullable(),
  })
  .meta({ id: 'DocumentValidity' });

export function showRenewal(renewal: Renewal): z.output<typeof validitySchema> {
  return {
    state: renewal.state,
    idExpires: renewal.expires,
    document: toWire('document', renewal.documentId),
    refusal: showRefusal(renewal.refusal),
  };
}

export const trialRequest = z
  .strictObject({
    direction: z.enum(TRIAL_DIRECTIONS).meta({
      description: 'outward: the bank pays a little, the company says how much; inward: the company pays what it is told',
    }),
    account: z.strictObject({
      name: companyName,
      account: z.string().regex(/^[A-Za-z0-9]{5,34}$/, { error: 'must be 5 to 34 letters and digits' }),
      bankCode: bankCodeSchema.default(''),
    }),
  })
  .meta({ id: 'NewAccountVerification' });

export const trialAnswerRequest = z.strictObject({ amount: moneySchema });

export const trialSchema = z
  .strictObject({
    id: z.string().meta({ example: 'ver_2236512894231552003' }),
    direction: z.enum(TRIAL_DIRECTIONS),
    state: z.enum(['asked', 'waiting', 'verified', 'failed', 'ended']),
    account: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    answersLeft: z.int().optional().meta({ description: 'Outward: how often the company may still say an amount' }),
    pay: z
      .strictObject({ amount: z.strictObject({ amount: z.int(), currency: currencySchema }), reference: z.string() })
      .optional()
      .meta({ description: 'Inward: exactly what is to be paid in, and the reference it has to carry' }),
    expiresAt: rfc3339Schema,
  })
  .meta({ id: 'AccountVerification' });

/** The amount of an outward trial is what the company is to tell: it is in no answer. */
export function showTrial({ trial, account, amount, answersLeft }: OpenTrial): z.output<typeof trialSchema> {
  const isInward = trial.direction === 'inward';
  return {
    id: toWire('verification', trial.id),
    direction: trial.direction,
    state: trial.state,
    account: { ...account, account: maskCardNumber(account.account) },
    ...(isInward
      ? { pay: { amount: { amount: Number(amount), currency: 'CNY' as const }, reference: trial.id } }
      : { answersLeft }),
    expiresAt: toRfc3339(trial.expiresMs),
  };
}
