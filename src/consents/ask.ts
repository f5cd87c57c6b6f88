import { randomBytes } from 'node:crypto';
import type { Id, Instant } from '../kernel/index.js';
import { type Asked, hashToken, type Runtime, type Tx, type Vault } from '../runtime/index.js';
import type { Factors } from './records.js';
import type { Shown, Subject } from './rules.js';
import { insertConsent } from './store.js';

/** One question to one customer about one thing. */
export interface Question {
  readonly subject: Subject;
  /** Asked about once, for ever: an instruction, a mandate; for a password a number of its own. */
  readonly subjectId: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly needs: Factors;
  /** Blind index of the bound card that is shown; once another is bound, the answer is good for nothing. */
  readonly cardIndex?: Buffer | undefined;
  /** Whom an activation is about. */
  readonly userId?: Id | undefined;
  readonly shown: Shown;
  /** The first moment at which it is too late to answer. */
  readonly expiresMs: Instant;
}

type AskRuntime = Pick<Runtime, 'newId' | 'clock' | 'vault' | 'config'>;

/**
 * Writes the question. The token that opens its page is in the address and nowhere else; what is stored is its SHA-256. The caller
 * commits, and hands out the address only then.
 * @throws a duplicate-key error when the subject was asked about before
 */
export async function askConsent(tx: Tx, rt: AskRuntime, question: Question): Promise<Asked & { readonly url: string }> {
  const { subject, subjectId, shown, cardIndex = null, userId = null, ...rest } = question;
  const id = rt.newId();
  const { url, tokenHash } = newLink(rt);
  await insertConsent(tx, {
    ...rest,
    id,
    subject,
    subjectId,
    cardIndex,
    userId,
    tokenHash,
    shownSealed: rt.vault.seal(JSON.stringify(shown)),
    digest: digestOfShown(rt.vault, subject, subjectId, shown),
    createdMs: rt.clock.now(),
  });
  return { consent: id, url, expiresMs: question.expiresMs };
}

/** A fresh address of a hosted page, and what is stored of it. */
export function newLink({ config }: Pick<Runtime, 'config'>): { url: string; tokenHash: Buffer } {
  const token = randomBytes(32).toString('base64url');
  return { url: `${config.PUBLIC_URL.replace(/\/$/, '')}/consents/${token}`, tokenHash: hashToken(token) };
}

/**
 * What binds an answer to what was asked: the same for the same subject, shown in the same words. Keyed by the vault, since the payee's name
 * could be tried against it otherwise.
 */
export function digestOfShown(vault: Pick<Vault, 'index'>, subject: Subject, subjectId: Id, shown: Shown): Buffer {
  return vault.index('shown', JSON.stringify([subject, subjectId, shown]));
}
