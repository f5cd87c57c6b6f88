import { createHmac } from 'node:crypto';
import { z } from 'zod';
import {
  addDays,
  type BusinessDate,
  canonicalJson,
  digestSchema,
  type Judged,
  judgeSigned,
  type PublicKeys,
  parseBusinessDate,
  shapeFault,
  signatureFault,
  signedSchema,
  wirePattern,
} from '../kernel/index.js';
import { hashOfLeaf, rootByPath } from './tree.js';

/**
 * The form of the two proofs, and whether one is genuine. Pure: who has the file and the bank's public key needs nothing else.
 *
 * A *custody proof* (存管证明) is what the bank says of a platform's accounts at the end of a business date: the root of the tree over them, what they add
 * up to, and what the core bank's statement says; it names the hash of the one of the day before. An *inclusion proof* leads from one account's closing balance to that root.
 */
export const CUSTODY_VERSION = 'cunguan-custody-1';
export const INCLUSION_VERSION = 'cunguan-inclusion-1';

/** What the first proof of a platform names as the one before. */
export const FIRST = '0'.repeat(64);

/** Leaves of a block: of every block the tree's hash is kept, so that a proof reads one block of the books anew. A power of two. */
export const BLOCK = 4096;

const date = z.string().refine((text) => parseBusinessDate(text) !== undefined);
const fen = z.int();

const custodyContent = z.strictObject({
  type: z.literal('custody'),
  platform: z.string().regex(wirePattern('platform')),
  custodyNo: z.string().max(32).meta({ description: 'The number of the custody account at the core bank' }),
  date: date.meta({ description: 'The business date whose end it is about' }),
  previous: digestSchema.meta({ description: 'The hash of the proof of the day before; zeros in the first' }),
  accounts: z.int().min(0).meta({ description: 'How many accounts had moved by then: the leaves of the tree' }),
  root: digestSchema.meta({ description: 'Of the tree over them' }),
  custody: fen.meta({ description: 'Fen in the custody account by the books' }),
  children: fen.meta({ description: 'Fen on all other accounts together' }),
  statement: z
    .strictObject({ closing: fen, lines: z.int().min(0), digest: digestSchema })
    .meta({ description: "What the core bank's statement of the date ends with, and the digest of its lines" }),
});
export type CustodyContent = z.output<typeof custodyContent>;

export const custodyProofSchema = signedSchema(CUSTODY_VERSION, custodyContent).meta({
  id: 'CustodyProof',
  description: 'What the bank keeps for a platform at the end of a business date, signed 存管证明',
});
export type CustodyProof = z.output<typeof custodyProofSchema>;

const leafSchema = z.strictObject({
  account: z.string().regex(wirePattern('account')),
  accountType: z.string().regex(/^[a-z0-9-]{1,12}$/),
  balance: fen.meta({
    description: 'Closing balance in fen as the books have it: what the bank owes is above zero, the custody account below',
  }),
  seq: z.int().min(1).meta({ description: 'How many entries the account had' }),
  head: digestSchema.meta({ description: 'The hash of the last of them: the head of its chain' }),
});
export type Leaf = z.output<typeof leafSchema>;

export const inclusionProofSchema = z
  .strictObject({
    version: z.literal(INCLUSION_VERSION),
    leaf: leafSchema,
    salt: digestSchema.meta({ description: "What keeps others from trying out balances: it is the account holder's" }),
    index: z.int().min(0).meta({ description: 'Its place among the leaves, from 0' }),
    path: z.array(digestSchema).max(48).meta({ description: 'The hashes beside the way to the root, from below' }),
    custody: custodyProofSchema,
  })
  .meta({
    id: 'InclusionProof',
    description: 'That an account with its closing balance is in the custody proof of a date 余额包含证明',
  });
export type InclusionProof = z.output<typeof inclusionProofSchema>;

/** The salt of a leaf: nobody without the secret of the day can tell it, and the salt of one leaf says nothing of another's. */
export function saltOf(daySecret: Buffer, account: string): Buffer {
  return createHmac('sha256', daySecret).update(account).digest();
}

export function leafHash(salt: Buffer, leaf: Leaf): Buffer {
  return hashOfLeaf(salt, canonicalJson(leaf));
}

export function judgeCustody(value: unknown, keys: PublicKeys): Judged<CustodyProof> {
  return judgeSigned(custodyProofSchema, 'custody proof', value, keys);
}

export function judgeInclusion(value: unknown, keys: PublicKeys): Judged<InclusionProof> {
  const parsed = inclusionProofSchema.safeParse(value);
  if (!parsed.success) return { fault: shapeFault(parsed.error, 'inclusion proof') };
  const { leaf, salt, index, path, custody } = parsed.data;
  const fault = signatureFault(custody, keys);
  if (fault !== undefined) return { fault: `the custody proof in it: ${fault}` };
  const { accounts, root } = custody.content;
  if (index >= accounts) return { fault: `it is said to be leaf ${index} of ${accounts}` };
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const found = rootByPath(leafHash(bytes(salt), leaf), index, accounts, path.map(bytes));
  if (found === undefined)
    return { fault: `a path of ${path.length} hashes does not lead from leaf ${index} of ${accounts} to a root` };
  if (found.toString('hex') !== root)
    return { fault: 'the account is not in the signed tree as it stands here: account, balance, place or path was altered' };
  return { document: parsed.data };
}

/** Where custody proofs contradict each other: of one day two, or one that does not name the one before. */
export function chainFaults(proofs: readonly CustodyProof[]): string[] {
  const faults: string[] = [];
  const sorted = [...proofs].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const [place, proof] of sorted.entries()) {
    const before = sorted[place - 1];
    if (before === undefined || before.content.platform !== proof.content.platform || before.hash === proof.hash) continue;
    const { platform, date } = proof.content;
    if (before.content.date === date) faults.push(`the bank signed two different proofs of ${date} for ${platform}`);
    else if (proof.content.previous !== before.hash)
      faults.push(
        addDays(before.content.date as BusinessDate, 1) === date
          ? `the proof of ${date} does not follow from that of ${before.content.date}: it names ${proof.content.previous} as the one before`
          : `between ${before.content.date} and ${date} proofs are missing: the chain of ${platform} cannot be followed`,
      );
  }
  return faults;
}

function keyOf({ content, hash }: CustodyProof): string {
  return `${content.platform} ${content.date} ${hash}`;
}
