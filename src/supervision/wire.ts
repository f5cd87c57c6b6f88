import { z } from 'zod';
import { toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { rfc3339Schema, type Vault } from '../runtime/index.js';
import type { WatchedDay } from './days-store.js';
import type { LargeValueReport, ReportLine } from './large-value-store.js';
import { masked } from './particulars.js';
import type { Particulars } from './particulars-store.js';
import { SIDES, SUBJECT_KINDS } from './rules.js';
import { LARGE_VALUE_STATES, SUSPICION_STATES } from './states.js';
import type { SuspicionCase } from './suspicion-store.js';

const fen = z.int().meta({ description: 'Minor units (fen)' });
const date = z.string().meta({ format: 'date', example: '2026-03-02' });
const operatorId = z.string().nullable();

export const particularsSchema = z
  .strictObject({ kind: z.enum(SUBJECT_KINDS), name: z.string(), idType: z.string(), idNo: z.string() })
  .meta({ id: 'Particulars', description: 'Who a customer is; masked but in exports' });

export const watchedDaySchema = z
  .strictObject({
    date,
    state: z.enum(['due', 'running', 'done']),
    pass: z.int().meta({ description: 'How often its totals were made' }),
    digest: z.string().nullable().meta({ description: 'SHA-256 over the totals of all customers: the same each time' }),
  })
  .meta({ id: 'WatchedDay' });

export function showWatchedDay({ date: on, state, pass, digest }: WatchedDay): z.input<typeof watchedDaySchema> {
  return { date: on, state, pass, digest };
}

export const reportSchema = z
  .strictObject({
    id: z.string(),
    date: date.meta({ description: 'The natural day' }),
    customer: particularsSchema,
    side: z.enum(SIDES),
    class: z.enum(SUBJECT_KINDS).meta({ description: 'The threshold that it is held against' }),
    amount: fen,
    lines: z.int(),
    threshold: fen,
    dueOn: date.meta({ description: 'The last day to report it' }),
    late: z.boolean(),
    state: z.enum(LARGE_VALUE_STATES),
    proposedBy: operatorId.meta({ description: 'Who wants it exempted' }),
    proposedNote: z.string().nullable(),
    decidedBy: operatorId,
    decidedAt: rfc3339Schema.nullable(),
    receiptNo: z.string().nullable().meta({ description: 'What the monitoring centre answered' }),
  })
  .meta({ id: 'LargeValueReport', description: '大额交易报告' });

const operatorOf = (id: LargeValueReport['decidedBy']) => (id === null ? null : toWire('operator', id));

/** What somebody wrote, if he did. */
export const openedOrNull = (vault: Vault, sealed: string | null) => (sealed === null ? null : vault.open(sealed));

/** @param who masked, unless it is for the monitoring centre */
export function showReport(
  vault: Vault,
  report: LargeValueReport,
  who: Particulars,
  today: string,
): z.input<typeof reportSchema> {
  const { date: on, side, lines, dueOn, state, receiptNo } = report;
  return {
    id: toWire('large-value', report.id),
    ...{ date: on, customer: who, side, class: report.class, lines, dueOn, state, receiptNo },
    amount: toWireAmount(report.amount),
    threshold: toWireAmount(report.threshold),
    late: state === 'candidate' && dueOn < today,
    proposedBy: operatorOf(report.proposedBy),
    proposedNote: openedOrNull(vault, report.proposedNoteSealed),
    decidedBy: operatorOf(report.decidedBy),
    decidedAt: report.decidedMs === null ? null : toRfc3339(report.decidedMs),
  };
}

export const lineSchema = z
  .strictObject({ instruction: z.string(), platform: z.string(), kind: z.string(), amount: fen, at: rfc3339Schema })
  .meta({ id: 'LargeValueLine', description: 'What one instruction brought or took' });

export function showLine({ instruction, platformId, kind, amount, atMs }: ReportLine): z.input<typeof lineSchema> {
  return {
    instruction: toWire('instruction', instruction),
    platform: toWire('platform', platformId),
    kind,
    amount: toWireAmount(amount),
    at: toRfc3339(atMs),
  };
}

export const caseSchema = z
  .strictObject({
    id: z.string(),
    rule: z.string(),
    date,
    customer: particularsSchema,
    figures: z.record(z.string(), z.unknown()).meta({ description: 'What the rule saw; amounts are texts of fen' }),
    state: z.enum(SUSPICION_STATES),
    proposed: z.enum(SUSPICION_STATES).nullable(),
    proposedBy: operatorId,
    proposedNote: z.string().nullable(),
    decidedBy: operatorId,
    decidedNote: z.string().nullable(),
    alarmOn: date.nullable(),
    dueOn: date.nullable(),
    alarm: z.boolean().meta({ description: 'Confirmed, not reported, and the day of the alarm has come' }),
    receiptNo: z.string().nullable(),
    raisedAt: rfc3339Schema,
  })
  .meta({ id: 'SuspicionCase', description: '可疑交易' });

export function showCase(vault: Vault, of: SuspicionCase, who: Particulars, today: string): z.input<typeof caseSchema> {
  const { rule, date: on, figures, state, proposed, alarmOn, dueOn, receiptNo } = of;
  return {
    id: toWire('suspicion', of.id),
    ...{ rule, date: on, customer: masked(who), figures, state, proposed, alarmOn, dueOn, receiptNo },
    proposedBy: operatorOf(of.proposedBy),
    proposedNote: openedOrNull(vault, of.proposedNoteSealed),
    decidedBy: operatorOf(of.decidedBy),
    decidedNote: openedOrNull(vault, of.decidedNoteSealed),
    alarm: state === 'confirmed' && alarmOn !== null && alarmOn <= today,
    raisedAt: toRfc3339(of.raisedMs),
  };
}
