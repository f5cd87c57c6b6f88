import type { IdentityAnswer, Verification } from '../../channels/index.js';
import type { Id } from '../../kernel/index.js';
import type { Runtime } from '../../runtime/index.js';
import type { NamedIdentity } from './particulars.js';
import { insertVerification } from './verification-records.js';

export type VerifyParts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'log'>;

/** Asks, and keeps what was asked and answered. @param subject in place of the role, for another occasion than a registration */
export async function askIdentity(
  rt: VerifyParts,
  verification: Verification,
  userId: Id,
  { role, idType, idNo, name }: NamedIdentity,
  subject: string = role,
): Promise<IdentityAnswer['result']> {
  const question = { idType, idNo, name };
  const askedMs = rt.clock.now();
  const answer = await verification.checkIdentity(question);
  const record = {
    id: rt.newId(),
    userId,
    kind: 'identity' as const,
    subject,
    askedSealed: rt.vault.seal(JSON.stringify(question)),
    result: answer.result,
    evidence: answer.evidence ?? null,
    askedMs,
    answeredMs: rt.clock.now(),
  };
  // A lost COMMIT loses the record of one answer at worst; then it is asked once more.
  await rt.db.withTx(
    'keep answer',
    (tx) => insertVerification(tx, record).then(() => true),
    async () => true,
  );
  return answer.result;
}
