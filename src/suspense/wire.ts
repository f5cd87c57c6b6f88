import { z } from 'zod';
import { maskCardNumber, maskName, toRfc3339, toWire, toWireMoney } from '../kernel/index.js';
import { rfc3339Schema, shownMoneySchema, type Vault } from '../runtime/index.js';
import { type Candidate, itemState, leftOf, MATCH_SCORES, type MatchReason } from './rules.js';
import { ITEM_STATES, PROPOSAL_STATES } from './states.js';
import { SUSPENSE_SOURCES, type SuspenseItem, type SuspenseProposal } from './store.js';

export const itemSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string(),
    amount: shownMoneySchema,
    left: shownMoneySchema,
    attributed: shownMoneySchema,
    returned: shownMoneySchema,
    state: z.enum(ITEM_STATES),
    source: z.enum(SUSPENSE_SOURCES),
    reference: z.string(),
    payout: z.string().nullable(),
    meantFor: z.string().nullable().meta({ description: 'The account that it was for, and that could not be credited' }),
    payer: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    clearsOn: z.string().nullable().meta({ description: 'Not withdrawable before this date, if there is one' }),
    since: rfc3339Schema,
  })
  .meta({ id: 'SuspenseItem', description: 'Money whose owner is not known yet 挂账' });

/** The payer is masked, for the bank's staff too: who needs his name opens the core bank's slip. */
export function showItem(vault: Vault, item: SuspenseItem): z.input<typeof itemSchema> {
  const account = item.payer.account === '' ? '' : maskCardNumber(vault.read(item.payer.account));
  return {
    id: toWire('suspense', item.id),
    platform: toWire('platform', item.platformId),
    amount: toWireMoney(item.amount),
    left: toWireMoney(leftOf(item)),
    attributed: toWireMoney(item.attributed),
    returned: toWireMoney(item.returned),
    state: itemState(item),
    source: item.source,
    reference: item.reference,
    payout: item.payoutId === null ? null : toWire('payout', item.payoutId),
    meantFor: item.fromAccountId === null ? null : toWire('account', item.fromAccountId),
    payer: { name: maskName(vault.read(item.payer.name)), account, bankCode: item.payer.bankCode },
    clearsOn: item.clears,
    since: toRfc3339(item.sinceMs),
  };
}

export const proposalSchema = z
  .strictObject({
    id: z.string(),
    item: z.string(),
    action: z.enum(['attribute', 'return']),
    account: z.string().nullable(),
    amount: shownMoneySchema,
    reason: z.string(),
    state: z.enum(PROPOSAL_STATES),
    instruction: z.string().nullable().meta({ description: 'What it was instructed as; its outcome says whether it was posted' }),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'SuspenseProposal', description: 'What one member of staff proposes to do with money on suspense 挂账处理提案' });

export function showProposal(vault: Vault, p: SuspenseProposal): z.input<typeof proposalSchema> {
  return {
    id: toWire('proposal', p.id),
    item: toWire('suspense', p.itemId),
    action: p.action,
    account: p.accountId === null ? null : toWire('account', p.accountId),
    amount: toWireMoney(p.amount),
    reason: vault.open(p.reasonSealed),
    state: p.state,
    instruction: p.instructionId === null ? null : toWire('instruction', p.instructionId),
    proposedBy: toWire('operator', p.proposedBy),
    proposedAt: toRfc3339(p.proposedMs),
    decidedBy: p.decidedBy === null ? null : toWire('operator', p.decidedBy),
    decidedAt: p.decidedMs === null ? null : toRfc3339(p.decidedMs),
    note: p.noteSealed === null ? null : vault.open(p.noteSealed),
  };
}

export const candidateSchema = z
  .strictObject({
    account: z.string(),
    score: z.int(),
    reasons: z.array(z.enum(Object.keys(MATCH_SCORES) as [MatchReason, ...MatchReason[]])),
  })
  .meta({ id: 'SuspenseCandidate', description: 'Whose the money may be, and what speaks for it 认领建议' });

export function showCandidate({ account, score, reasons }: Candidate): z.input<typeof candidateSchema> {
  return { account: toWire('account', account), score, reasons: [...reasons] };
}
