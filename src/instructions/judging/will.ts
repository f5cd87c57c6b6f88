import { type ElectronicAccount, electronicRecords } from '../../accounts/index.js';
import {
  consentRecords,
  coverOf,
  type DebitPayee,
  type Factors,
  mandateRecords,
  mandateUseRecords,
  proofNeeded,
} from '../../consents/index.js';
import { type Id, invariant, type Minor, type Refusal, type RefusalCode, refuse, toWire } from '../../kernel/index.js';
import { isElectronic } from '../../ledger/index.js';
import { type Act, type At, change, type Effects, type Facts, type Kind, type Needs, type RecordChange } from '../kind.js';

/**
 * The customer's own will on a decision: what debits an electronic account, or its owner elsewhere, is covered by his answer to
 * exactly this instruction or by a live mandate, as the policy of the platform's profile says. Asked here for every kind, so that
 * none can forget it.
 */
export function withWill(kind: Kind, data: unknown, effects: Effects, facts: Facts, at: At): Effects | Refusal {
  const act = kind.act?.(data);
  assertNoSilentDebit(kind, effects, facts, at, act?.account);
  if (act === undefined || !isElectronic(facts.account(act.account)?.type)) return effects;
  const account = facts.record(electronicRecords, act.account);
  invariant(account, `the electronic account ${act.account} has an owner`);
  const proved = proofOf(kind, act, account, facts, at);
  if ('code' in proved) return proved;
  return { ...effects, records: [...(effects.records ?? []), ...proved.records] };
}

/** What must be loaded to judge it, from its data alone: the mandate that it names. */
export function willNeeds(kind: Kind, data: unknown, at: At): Needs {
  const mandate = at.origin === 'O' ? undefined : kind.act?.(data).mandate;
  return mandate === undefined ? {} : { records: [[mandateRecords, mandate]] };
}

/** What must be loaded once the account is known: the customer's answer, where it is an electronic one. */
export function willNeedsThen(kind: Kind, data: unknown, facts: Facts, at: At): Needs {
  const act = at.origin === 'O' ? undefined : kind.act?.(data);
  if (act === undefined || act.mandate !== undefined || !isElectronic(facts.account(act.account)?.type)) return {};
  return { records: [[consentRecords, at.instruction]] };
}

function proofOf(kind: Kind, act: Act, account: ElectronicAccount, facts: Facts, at: At): Refusal | { records: RecordChange[] } {
  if (at.origin === 'O') return byVoucher(act);
  if (act.voucher !== undefined) return refuse('VOUCHER_NOT_ALLOWED');
  if (act.mandate !== undefined) return byMandate(kind, act, act.mandate, account.customerId, facts, at);
  return byConsent(kind, act, account, facts, at);
}

/**
 * At the counter he signs a form. What staff may then do is to pay out to his own bound card, to bring back to the account what it has in a
 * fund, or what he owes for a project: nowhere else.
 */
function byVoucher({ account, payee, voucher }: Act): Refusal | { records: RecordChange[] } {
  const isFixed = payee === 'bound-card' || 'project' in payee || ('account' in payee && payee.account === account);
  return isFixed && voucher !== undefined ? { records: [] } : refuse('VOUCHER_MISSING');
}

const ANSWERS: Readonly<Record<string, RefusalCode>> = {
  pending: 'CONSENT_REQUIRED',
  declined: 'CONSENT_DECLINED',
  expired: 'CONSENT_EXPIRED',
  locked: 'CONSENT_LOCKED',
  used: 'CONSENT_USED',
};

function byConsent(
  kind: Kind,
  { payee }: Act,
  { customerId: owner, cardIndex }: ElectronicAccount,
  facts: Facts,
  at: At,
): Refusal | { records: RecordChange[] } {
  const consent = facts.record(consentRecords, at.instruction);
  if (consent === undefined) return refuse('CONSENT_REQUIRED');
  const code = ANSWERS[consent.state];
  if (code !== undefined) return refuse(code, undefined, { consent: toWire('consent', consent.id) });
  const { needs } = proofNeeded(at.policies, at.book.profile, kind.name);
  // The account may have another owner's name on it only by a fault of ours; a policy may have become stricter since the question.
  // He said yes to the card that he was shown: another one that was bound since is another payee.
  const sameCard = payee !== 'bound-card' || consent.cardIndex?.equals(cardIndex);
  if (consent.customerId !== owner || !covers(consent.needs, needs) || !sameCard)
    return refuse('CONSENT_MISMATCH', undefined, { consent: toWire('consent', consent.id) });
  return { records: [change(consentRecords, at.instruction, { ...consent, state: 'used' as const })] };
}

function byMandate(kind: Kind, act: Act, id: Id, owner: Id, facts: Facts, at: At): Refusal | { records: RecordChange[] } {
  const mandate = facts.record(mandateRecords, id);
  if (mandate === undefined) return refuse('MANDATE_NOT_FOUND', undefined, { mandate: toWire('mandate', id) });
  if (!proofNeeded(at.policies, at.book.profile, kind.name).mandates || act.amount === undefined)
    return refuse('MANDATE_NOT_ENOUGH', undefined, { kind: kind.name });
  invariant(mandate.accountId !== act.account || mandate.customerId === owner, `mandate ${id} is its account owner's`);
  const { account, amount } = act;
  const used = coverOf(mandate, { kind: kind.name, account, payee: debitPayeeOf(act), amount, nowMs: at.nowMs });
  if ('code' in used) return used;
  const { usedTotal, usedPeriod, periodKey } = used;
  const counted = { amount, usedTotal, usedPeriod, periodKey, usedMs: at.nowMs };
  const use = { instruction: at.instruction, mandateId: id, seq: used.useCount, ...counted };
  return { records: [change(mandateRecords, id, used), change(mandateUseRecords, at.instruction, use)] };
}

/** What goes between an account and its bound card stays the owner's own: the payee is the account itself. */
function debitPayeeOf({ account, payee }: Act): DebitPayee {
  if (payee === 'bound-card') return { account };
  return 'orderNo' in payee ? { order: payee.orderNo } : payee;
}

function covers(given: Factors, needed: Factors): boolean {
  return given === 'both' || given === needed;
}

/**
 * A kind that platforms may give never debits an electronic account unless it says whose will that takes, beyond what the same decision
 * lets go of holds: nothing is held on one but what its owner wanted to give (a bid for a project). Only the bank undoes what was credited
 * to one.
 * @param asked the account whose owner is asked
 */
function assertNoSilentDebit(kind: Kind, effects: Effects, facts: Facts, { origin }: At, asked: Id | undefined): void {
  if (!kind.origins.includes('P')) return;
  let freed: Map<Id, Minor> | undefined;
  for (const { account, amount, flow } of effects.postings) {
    const undone = typeof flow === 'object' && origin === 'O';
    if (amount >= 0n || account === asked || undone || !isElectronic(facts.account(account)?.type)) continue;
    freed ??= freedBy(effects.holds);
    const silent = -amount > (freed.get(account) ?? 0n);
    invariant(!silent, `the kind ${kind.name} says whose will it takes to debit an electronic account`);
  }
}

/** What holds let go, by account. */
function freedBy(holds: Effects['holds'] = []): Map<Id, Minor> {
  const freed = new Map<Id, Minor>();
  for (const { account, amount } of holds) freed.set(account, (freed.get(account) ?? 0n) - amount);
  return freed;
}
