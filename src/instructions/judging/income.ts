import { type Id, type Minor, toWire, toWireAmount } from '../../kernel/index.js';
import { frozenOf, type LedgerAccount, type Posting } from '../../ledger/index.js';
import {
  advanceRecords,
  type Diversion,
  debtRecords,
  diversionRecords,
  divideIncome,
  marginRecords,
  owedOf,
  type Receivable,
  receivableKey,
  receivableRecords,
} from '../../refunds/index.js';
import { type At, change, type Effects, type Facts, type Kind, type Needs, type RecordChange } from '../kind.js';
import { receiverNeeds } from '../orders/recall.js';
import { dueNeeds } from './due.js';

/** Who receives income, and may owe something or have a margin to fill up. */
function isReceiver(account: LedgerAccount | undefined): boolean {
  return account?.type === 'sub' || account?.type === 'commission';
}

/** What is to be seen of all receivers that an instruction names, where it brings income. Known once they are. */
export function incomeNeeds(kind: Kind, data: unknown, facts: Facts, at: At): Needs {
  if (kind.income !== true) return {};
  const named = [...(kind.needs(data, at).accounts ?? []), ...(kind.needsThen?.(data, facts, at).accounts ?? [])];
  const receivers = named.filter((id) => isReceiver(facts.account(id)));
  if (receivers.length === 0) return {};
  const sellers = receivers.filter((id) => facts.account(id)?.type === 'sub');
  return {
    accounts: [at.book.accounts['own-funds']],
    records: [[advanceRecords, at.platformId], ...receivers.flatMap(receiverNeeds), ...dueNeeds(sellers)],
  };
}

/**
 * What receivers owe is taken from what comes in for them, and then their margins are filled up, in the postings of the income itself;
 * all of it from what no court and no dispute lays claim to.
 * Asked here for every kind that brings income, so that none can forget it.
 */
export function withRecovery(kind: Kind, effects: Effects, facts: Facts, at: At): Effects {
  if (kind.income !== true) return effects;
  const diversions: Diversion[] = [];
  const postings: Posting[] = [];
  const extra = new Map<Id, Posting>();
  const divert = (to: Id, part: Diversion, { clears }: Posting) => {
    diversions.push(part);
    const amount = (extra.get(to)?.amount ?? 0n) + part.amount;
    extra.set(to, { account: to, amount, ...(clears === undefined ? {} : { clears }) });
  };
  for (const posting of effects.postings) {
    const { left, debts, toMargin, marginId } = divided(posting, facts);
    for (const { instruction, amount } of debts)
      divert(
        at.book.accounts['own-funds'],
        { accountId: posting.account, purpose: 'debt', target: instruction, amount },
        posting,
      );
    if (marginId !== null && toMargin > 0n)
      divert(marginId, { accountId: posting.account, purpose: 'margin', target: marginId, amount: toMargin }, posting);
    if (left !== 0n) postings.push(left === posting.amount ? posting : { ...posting, amount: left });
  }
  if (diversions.length === 0) return effects;
  return {
    ...effects,
    postings: [...postings, ...extra.values()],
    records: [...(effects.records ?? []), ...diverted(diversions, facts, at)],
    result: { ...effects.result, diverted: diversions.map(showDiversion) },
  };
}

/** What of one posting goes where; of a debit, or of a credit of anybody else, nothing does. */
function divided({ account: id, amount }: Posting, facts: Facts) {
  const nothing = { left: amount, debts: [] as { instruction: Id; amount: Minor }[], toMargin: 0n, marginId: null };
  const account = facts.account(id);
  if (amount <= 0n || account === undefined || !isReceiver(account) || account.state === 'closed') return nothing;
  const open = facts.record(debtRecords, id)?.open ?? [];
  const margin = facts.record(marginRecords, id);
  const kept = margin?.marginId ? facts.account(margin.marginId) : undefined;
  const owed = open.reduce((sum, receivable) => sum + owedOf(receivable), 0n);
  const marginLacks = kept === undefined || kept.state === 'closed' ? 0n : (margin?.target ?? 0n) - kept.balance;
  const lacking = account.claimed - frozenOf(account);
  const claimed = lacking < amount ? lacking : amount;
  const { recovered, toMargin, left } = divideIncome(amount - claimed, { owed, marginLacks });
  return { left: left + claimed, toMargin, marginId: kept?.id ?? null, debts: oldestFirst(open, recovered) };
}

function oldestFirst(open: readonly Receivable[], recovered: Minor): { instruction: Id; amount: Minor }[] {
  let rest = recovered;
  return open.flatMap((receivable) => {
    const owed = owedOf(receivable);
    const amount = owed < rest ? owed : rest;
    rest -= amount;
    return amount > 0n ? [{ instruction: receivable.instruction, amount }] : [];
  });
}

function diverted(parts: readonly Diversion[], facts: Facts, at: At): RecordChange[] {
  const row = { instruction: at.instruction, platformId: at.platformId, parts, undoneBy: null };
  const open = (part: Diversion) =>
    facts.record(debtRecords, part.accountId)?.open.find(({ instruction }) => instruction === part.target);
  return [change(diversionRecords, at.instruction, row), ...recovered(parts, open, facts, at, 1n)];
}

/** The receivables and the sum of what is advanced, after these parts were recovered (`sign` 1) or given back (−1). */
function recovered(
  parts: readonly Diversion[],
  find: (part: Diversion) => Receivable | undefined,
  facts: Facts,
  at: At,
  sign: bigint,
): RecordChange[] {
  const debts = parts.filter((part) => part.purpose === 'debt');
  const advance = facts.record(advanceRecords, at.platformId);
  if (debts.length === 0 || advance === undefined) return [];
  const outstanding = debts.reduce((sum, part) => sum - sign * part.amount, advance.outstanding);
  return [
    ...debts.flatMap((part) => {
      const receivable = find(part);
      if (receivable === undefined) return [];
      const after = { ...receivable, recovered: receivable.recovered + sign * part.amount };
      return [change(receivableRecords, receivableKey(part.target, part.accountId), after)];
    }),
    change(advanceRecords, at.platformId, { ...advance, outstanding }),
  ];
}

/** What is to be seen where an instruction that may have brought income is undone. */
export function undoNeeds(undone: Id, facts: Facts, at: At): Needs {
  const parts = facts.record(diversionRecords, undone)?.parts ?? [];
  return {
    records: [
      [diversionRecords, undone],
      ...(parts.length === 0 ? [] : ([[advanceRecords, at.platformId]] as const)),
      ...parts.flatMap((part) => [
        [debtRecords, part.accountId] as const,
        ...(part.purpose === 'debt' ? ([[receivableRecords, receivableKey(part.target, part.accountId)]] as const) : []),
      ]),
    ],
  };
}

/** What was recovered by an instruction is owed again when it is undone. */
export function unrecovered(undone: Id, facts: Facts, at: At): RecordChange[] {
  const row = facts.record(diversionRecords, undone);
  if (row === undefined) return [];
  // A later instruction of the batch may have changed what is still open of it; what is paid up is only in its own record.
  const find = (part: Diversion) => facts.record(receivableRecords, receivableKey(part.target, part.accountId));
  return [change(diversionRecords, undone, { ...row, undoneBy: at.instruction }), ...recovered(row.parts, find, facts, at, -1n)];
}

function showDiversion({ accountId, purpose, target, amount }: Diversion) {
  const to = purpose === 'debt' ? { receivable: toWire('instruction', target) } : { margin: toWire('account', target) };
  return { account: toWire('account', accountId), ...to, amount: toWireAmount(amount) };
}
