import { z } from 'zod';
import {
  type BusinessDate,
  digestSchema,
  type PublicKeys,
  type Signed,
  signatureFault,
  signedSchema,
} from '../../kernel/index.js';

/**
 * An export of members for another custodian: a folder of files with a line of JSON each member, order and so on, and the manifest that the
 * bank signs. Amounts are fen. `sealed` holds what names persons, for the receiver alone.
 */
export const EXPORT_VERSION = 'cunguan-export-1';
export const TAKEOVER_VERSION = 'cunguan-takeover-1';

const amount = z.int().min(0);
const date = z.iso.date().transform((text) => text as BusinessDate);
const sealed = z.string().regex(/^[A-Za-z0-9_-]{38,}$/);

export const LINES = {
  members: z.strictObject({
    merchantNo: z.string(),
    cycle: z.string().meta({ description: 'How he was opened to be paid' }),
    cycleDays: z.int().nullable(),
    payDay: z.int().nullable(),
    balance: amount,
    margin: amount,
    sealed: sealed.meta({ description: 'party, settlementAccount' }),
  }),
  users: z.strictObject({
    userNo: z.string(),
    state: z.string().meta({ description: 'How far the identity was verified here' }),
    accounts: z.array(z.strictObject({ class: z.union([z.literal(2), z.literal(3)]), balance: amount })),
    sealed: sealed.meta({ description: 'party, and the bound card of each account' }),
  }),
  orders: z.strictObject({ orderNo: z.string(), balance: amount, sealed: sealed.meta({ description: 'payer' }) }),
  holds: z.strictObject({
    hold: z.string(),
    merchantNo: z.string(),
    amount,
    expiresAt: z.string().nullable(),
    sealed: sealed.meta({ description: 'purpose' }),
  }),
  platform: z.strictObject({ accountType: z.enum(['own-funds', 'commission', 'marketing', 'fees']), balance: amount }),
  agreements: z.strictObject({
    agreementNo: z.string(),
    merchantNo: z.string(),
    version: z.int(),
    validFrom: z.string(),
    validTo: z.string().nullable(),
    terms: z.string().meta({ description: 'Canonical JSON' }),
  }),
  mandates: z.strictObject({
    mandateNo: z.string(),
    userNo: z.string(),
    kinds: z.string(),
    paymentCap: amount,
    totalCap: amount,
    expiresAt: z.string(),
  }),
  stays: z.strictObject({
    account: z.string(),
    accountType: z.string(),
    balance: z.int(),
    why: z.array(z.strictObject({ reason: z.string(), amount: z.int() })),
  }),
} as const;
export type FileName = keyof typeof LINES;
export const FILES = Object.keys(LINES) as FileName[];
export type LineOf<Name extends FileName> = z.output<(typeof LINES)[Name]>;

/** What of a line's money is handed over. */
export function movedBy<Name extends FileName>(name: Name, line: LineOf<Name>): number {
  if (name === 'members') return (line as LineOf<'members'>).balance + (line as LineOf<'members'>).margin;
  if (name === 'users') return (line as LineOf<'users'>).accounts.reduce((sum, { balance }) => sum + balance, 0);
  if (name === 'orders' || name === 'platform') return (line as LineOf<'orders'>).balance;
  return 0;
}

const manifest = z.strictObject({
  type: z.literal('export'),
  platform: z.string(),
  custodyNo: z.string(),
  asOf: date,
  receiver: z.string().meta({ description: 'The X25519 public key of the custodian that it is sealed for' }),
  ephemeral: z.string(),
  total: amount.meta({ description: 'What is handed over in one transfer' }),
  files: z
    .array(z.strictObject({ name: z.enum(FILES), lines: z.int().min(0), sum: amount, digest: digestSchema }))
    .length(FILES.length),
});
export type ManifestContent = z.output<typeof manifest>;
export type Manifest = Signed<ManifestContent> & { readonly version: typeof EXPORT_VERSION };
export const manifestSchema = signedSchema(EXPORT_VERSION, manifest);

const takeover = z.strictObject({
  type: z.literal('takeover'),
  export: digestSchema.meta({ description: 'The hash of the manifest that was taken over' }),
  platform: z.string(),
  custodyNo: z.string(),
  reference: z.string().meta({ description: 'Of the one transfer, on the statement of the receiving bank' }),
  total: amount,
  taken: z.strictObject({ members: amount, users: amount, orders: amount, platform: amount }),
  counts: z.strictObject({ members: z.int(), users: z.int(), orders: z.int(), holds: z.int() }),
  notRegistered: z.array(z.strictObject({ userNo: z.string(), code: z.string() })),
  anew: z.strictObject({
    agreements: z.int().meta({ description: 'To be agreed and signed anew' }),
    mandates: z.int().meta({ description: 'To be given anew by the customers' }),
    accounts: z.int().meta({ description: 'Electronic accounts to be opened anew; their money waits on suspense' }),
  }),
});
export type TakeoverContent = z.output<typeof takeover>;
export type Takeover = Signed<TakeoverContent> & { readonly version: typeof TAKEOVER_VERSION };
export const takeoverSchema = signedSchema(TAKEOVER_VERSION, takeover);

/** Judges a manifest or a receipt by its signature and its sums. @returns it, or what is wrong in plain words */
export function judgeMoved(value: unknown, keys: PublicKeys): Manifest | Takeover | string {
  const parsed = z.union([manifestSchema, takeoverSchema]).safeParse(value);
  if (!parsed.success) return 'it is no manifest of an export and no receipt of one, or a field is not of its form';
  const fault = signatureFault(parsed.data, keys);
  if (fault !== undefined) return fault;
  const { content } = parsed.data;
  const sums = content.type === 'export' ? content.files.map(({ sum }) => sum) : Object.values(content.taken);
  if (sums.reduce((all, sum) => all + sum, 0) !== content.total) return 'its sums are not its total';
  return parsed.data;
}
