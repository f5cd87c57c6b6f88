import { z } from 'zod';
import { type Instant, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { rfc3339Schema, type Vault } from '../runtime/index.js';
import type { Repair } from './case-store.js';
import { REPAIR_ACTIONS, REPAIR_STATES, type RepairInstruction, type Suggestion } from './repair-rules.js';
import { ageInDays, BREAK_CLASSES, CASE_DAYS_MAX, PARTIES } from './rules.js';
import type { Run } from './run-store.js';
import type { Break } from './store.js';

export const breakSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string().nullable().meta({ description: "null: of a channel's line that names nobody's payout" }),
    party: z.enum(PARTIES).meta({ description: 'Whose records differ from the books' }),
    businessDate: z.string(),
    class: z.enum(BREAK_CLASSES),
    reference: z.string(),
    ourAmount: z.int().nullable().meta({ description: 'Fen in our books; null: not there' }),
    theirAmount: z.int().nullable().meta({ description: 'Fen in theirs; null: not there' }),
    ourState: z.string().nullable(),
    theirState: z.string().nullable(),
    timing: z.boolean().meta({ description: 'Explained by the cut-off; closes itself when the other side appears' }),
    state: z.enum(['open', 'closed']),
    owner: z.string().nullable().meta({ description: 'Who of the staff sees to it' }),
    ageDays: z.int().meta({ description: `Whole days since it was found; an open one is overdue from ${CASE_DAYS_MAX} on` }),
    overdue: z.boolean(),
    rule: z.string().nullable().meta({ description: 'The rule that closed it by itself' }),
    clearedOn: z.string().nullable().meta({ description: 'The business date on which the other side appeared' }),
    openedAt: rfc3339Schema,
    closedAt: rfc3339Schema.nullable(),
    closedBy: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Break', description: 'A difference between the books and what others have, as a case of the staff 对账差错' });

export function showBreak(vault: Vault, row: Break, nowMs: Instant): z.input<typeof breakSchema> {
  const ageDays = ageInDays(row.openedMs, row.closedMs ?? nowMs);
  return {
    id: toWire('break', row.id),
    platform: row.platformId === null ? null : toWire('platform', row.platformId),
    party: row.party,
    businessDate: row.businessDate,
    class: row.class,
    reference: row.reference,
    ourAmount: row.ourAmount === null ? null : toWireAmount(row.ourAmount),
    theirAmount: row.theirAmount === null ? null : toWireAmount(row.theirAmount),
    ourState: row.ourState,
    theirState: row.theirState,
    timing: row.timing,
    state: row.state,
    owner: row.owner === null ? null : toWire('operator', row.owner),
    ageDays,
    overdue: row.state === 'open' && ageDays >= CASE_DAYS_MAX,
    rule: row.rule,
    clearedOn: row.clearedDate,
    openedAt: toRfc3339(row.openedMs),
    closedAt: row.closedMs === null ? null : toRfc3339(row.closedMs),
    closedBy: row.closedBy,
    note: row.noteSealed && vault.read(row.noteSealed),
  };
}

const instructionSchema = z
  .strictObject({ kind: z.string(), data: z.record(z.string(), z.unknown()) })
  .nullable()
  .meta({ description: 'What will be instructed, without what names persons; null: nothing' });

function showInstruction(of: RepairInstruction | null): z.input<typeof instructionSchema> {
  return of === null ? null : { kind: of.kind, data: { ...of.data } };
}

const argumentsShape = {
  payerKnown: z.boolean().meta({ description: "Of `suspense`: whether the payer's account was given" }),
  instruction: z.string().nullable(),
  account: z.string().nullable(),
};

function showArguments(given: Suggestion['given']) {
  return {
    payerKnown: given.payer !== undefined,
    instruction: given.instruction === undefined ? null : toWire('instruction', given.instruction),
    account: given.account === undefined ? null : toWire('account', given.account),
  };
}

export const suggestionSchema = z.strictObject({
  action: z.enum(REPAIR_ACTIONS),
  ...argumentsShape,
  instructs: instructionSchema,
  why: z.string(),
});

export function showSuggestion({ action, given, instruction, why }: Suggestion): z.input<typeof suggestionSchema> {
  return { action, ...showArguments(given), instructs: showInstruction(instruction), why };
}

export const repairSchema = z
  .strictObject({
    id: z.string(),
    break: z.string(),
    action: z.enum(REPAIR_ACTIONS),
    ...argumentsShape,
    note: z.string(),
    state: z.enum(REPAIR_STATES),
    given: z.string().nullable().meta({ description: 'The instruction that was given; its outcome says whether it was posted' }),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    decidedNote: z.string().nullable(),
  })
  .meta({ id: 'Repair', description: 'What one member of staff proposes to do about a break, and another decides 差错处理方案' });

export function showRepair(vault: Vault, of: Repair): z.input<typeof repairSchema> {
  return {
    id: toWire('repair', of.id),
    break: toWire('break', of.breakId),
    action: of.action,
    ...showArguments(JSON.parse(vault.read(of.argumentsSealed)) as Suggestion['given']),
    note: vault.read(of.noteSealed),
    state: of.state,
    given: of.instructionId === null ? null : toWire('instruction', of.instructionId),
    proposedBy: toWire('operator', of.proposedBy),
    proposedAt: toRfc3339(of.proposedMs),
    decidedBy: of.decidedBy === null ? null : toWire('operator', of.decidedBy),
    decidedAt: of.decidedMs === null ? null : toRfc3339(of.decidedMs),
    decidedNote: of.decidedNoteSealed && vault.read(of.decidedNoteSealed),
  };
}

/** Sums may be larger than one amount can be. */
const sumSchema = z.string().meta({ description: 'Fen, as text' });

export const runSchema = z
  .strictObject({
    party: z.enum(PARTIES),
    businessDate: z.string(),
    digest: z.string().meta({ description: 'SHA-256 of their statement or file, hex' }),
    ourLines: z.int(),
    theirLines: z.int(),
    ourSum: sumSchema,
    theirSum: sumSchema,
    matched: z.int(),
    amountDiffers: z.int(),
    onlyOurs: z.int(),
    onlyTheirs: z.int(),
    stateDiffers: z.int(),
    timing: z.int().meta({ description: 'Differences that close themselves' }),
    closed: z.int().meta({ description: 'Earlier differences that this comparison closed' }),
    finishedAt: rfc3339Schema,
    tookMs: z.int(),
  })
  .meta({
    id: 'ReconciliationRun',
    description: 'What a comparison of a day with one party found, kept also when it found nothing 对账记录',
  });

export function showRun(run: Run): z.input<typeof runSchema> {
  return {
    party: run.party,
    businessDate: run.businessDate,
    digest: run.digest.toString('hex'),
    ourLines: run.ourLines,
    theirLines: run.theirLines,
    ourSum: String(run.ourSum),
    theirSum: String(run.theirSum),
    matched: run.matched,
    ...run.counts,
    finishedAt: toRfc3339(run.finishedMs),
    tookMs: run.tookMs,
  };
}
