import { type Id, type Instant, invariant, signContent, toRfc3339, toWire, toWireAmount } from '../../kernel/index.js';
import type { Runtime } from '../../runtime/index.js';
import type { Factors, Mandate, MandateUse } from '../records.js';
import type { Evidence, Shown, Subject } from '../rules.js';
import type { StoredConsent } from '../store.js';
import { RECEIPT_VERSION, type Receipt, type ReceiptContent } from './rules.js';

type SigningRuntime = Pick<Runtime, 'vault' | 'receiptKeys'>;

/** Headers come from outside and may be as long as they like; what stands in a receipt is enough to tell one from another. */
const HEADER_MAX = 500;

/**
 * The receipt of an answer, as JSON text for the sealed column: what was shown, what he said with which factors, when, and from where,
 * signed now. It is made before the transaction that writes the answer, so no lock waits for it.
 */
export function receiptOf(rt: SigningRuntime, consent: StoredConsent, evidence: Evidence): string {
  const { ip, forwardedFor, userAgent } = evidence;
  return JSON.stringify(
    signed(rt, {
      type: 'consent',
      consent: toWire('consent', consent.id),
      subject: consent.subject,
      about: aboutOf(consent.subject, consent.subjectId),
      platform: toWire('platform', consent.platformId),
      said: evidence.said,
      factors: factorsOf(evidence.factors),
      shown: JSON.parse(rt.vault.open(consent.shownSealed)) as Shown & Record<string, unknown>,
      askedAt: toRfc3339(consent.createdMs),
      answeredAt: toRfc3339(evidence.atMs),
      from: {
        ip: ip.slice(0, HEADER_MAX),
        forwardedFor: forwardedFor.slice(0, HEADER_MAX),
        userAgent: userAgent.slice(0, HEADER_MAX),
      },
    }),
  );
}

function aboutOf(subject: Subject, id: Id): string {
  if (subject === 'agreement') return toWire('signature', id);
  if (subject === 'escrow' || subject === 'project') return toWire('confirmation', id);
  return subject === 'instruction' || subject === 'mandate' ? toWire(subject, id) : id;
}

function factorsOf(given: Factors | 'none'): ('password' | 'sms')[] {
  if (given === 'none') return [];
  return given === 'both' ? ['password', 'sms'] : [given];
}

/** What of an instruction stands in the receipt of a mandate's use. */
export interface GivenInstruction {
  readonly platformId: Id;
  readonly requestNo: string;
  readonly kind: string;
  /** JSON of its data. */
  readonly body: string;
  /** The key that signed the request. */
  readonly actor: string;
  readonly receivedMs: Instant;
}

/**
 * The receipt of one use of a mandate, made when it is asked for: its rows are written once and never changed, so it says the same
 * each time. A batch pays for no signature.
 * @param granted the consent that gave the mandate, with its receipt
 */
export function receiptOfUse(
  rt: SigningRuntime,
  { use, mandate, given, granted }: { use: MandateUse; mandate: Mandate; given: GivenInstruction; granted: StoredConsent },
): Receipt {
  return signed(rt, {
    type: 'mandate-use',
    mandate: toWire('mandate', mandate.id),
    use: use.seq,
    platform: toWire('platform', mandate.platformId),
    instruction: toWire('instruction', use.instruction),
    requestNo: given.requestNo,
    kind: given.kind,
    account: toWire('account', mandate.accountId),
    amount: toWireAmount(use.amount),
    data: JSON.parse(given.body) as Record<string, unknown>,
    from: { key: given.actor },
    receivedAt: toRfc3339(given.receivedMs),
    usedAt: toRfc3339(use.usedMs),
    granted: { consent: toWire('consent', granted.id), hash: storedReceipt(rt, granted).hash },
  });
}

/** The receipt that was written with the answer. */
export function storedReceipt({ vault }: Pick<Runtime, 'vault'>, { id, receiptSealed }: StoredConsent): Receipt {
  invariant(receiptSealed !== null, `the consent ${id} has a receipt`);
  return JSON.parse(vault.open(receiptSealed)) as Receipt;
}

function signed({ receiptKeys }: Pick<Runtime, 'receiptKeys'>, content: ReceiptContent): Receipt {
  return signContent(RECEIPT_VERSION, content, receiptKeys);
}
