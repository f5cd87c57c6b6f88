import { z } from 'zod';
import {
  asId,
  type Id,
  type Instant,
  type Minor,
  REFUSALS,
  type RefusalCode,
  Refused,
  toRfc3339,
  toWire,
  toWireAmount,
} from '../../kernel/index.js';
import type { Entry } from '../../ledger/index.js';
import { type Asked, askedSchema, rfc3339Schema, showAsked, type Vault } from '../../runtime/index.js';
import { maskedData } from '../intake/personal.js';
import { kinds } from '../kinds/index.js';
import type { Outcome } from '../outcome.js';
import type { BatchLine, InstructionView } from '../store.js';

/** How instructions, outcomes and batches look on the wire. */
export const outcomeFields = {
  state: z.enum(['received', 'awaiting-consent', 'awaiting-funds', 'in-review', 'posted', 'refused']),
  code: z.string().nullable().meta({ description: 'The refusal, when refused' }),
  detail: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'What a posted instruction made, or why it was refused' }),
  businessDate: z.string().nullable(),
  decidedAt: rfc3339Schema.nullable(),
};

const consentField = {
  consent: askedSchema.optional(),
  missing: z.int().optional().meta({ description: 'Of a refund that waits for money: what was missing when it was last tried' }),
  decideBy: rfc3339Schema.optional().meta({ description: 'In review: until when people of the bank decide' }),
};

/** What an instruction that is not decided waits for: a customer's answer, money, or people of the bank. */
export type Awaited = Asked | { readonly missing: Minor } | { readonly decideByMs: Instant };

export const outcomeSchema = z
  .strictObject({ instruction: z.string(), requestNo: z.string(), kind: z.string(), ...outcomeFields, ...consentField })
  .meta({ id: 'Outcome', description: 'An instruction and what became of it' });

export const instructionSchemaOut = z
  .strictObject({
    instruction: z.string(),
    requestNo: z.string(),
    kind: z.string(),
    origin: z.enum(['platform', 'system', 'bank']),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What was asked; what names a person is masked' }),
    receivedAt: rfc3339Schema,
    ...outcomeFields,
    ...consentField,
    entries: z
      .array(z.strictObject({ account: z.string(), seq: z.int(), amount: z.int(), balance: z.int() }))
      .optional()
      .meta({ description: 'Credit positive, minor units' }),
  })
  .meta({ id: 'Instruction' });

export const batchSchema = z
  .strictObject({
    batch: z.string(),
    lines: z.array(
      z.strictObject({
        line: z.int(),
        requestNo: z.string(),
        instruction: z.string().nullable(),
        state: outcomeFields.state,
        code: z.string().nullable(),
        detail: outcomeFields.detail,
        ...consentField,
      }),
    ),
    posted: z.int(),
    refused: z.int(),
    undecided: z.int(),
  })
  .meta({ id: 'Batch' });

export const instructionQuery = { kind: z.string().max(24).optional(), requestNo: z.string().max(64).optional() };

export function showOutcome(id: Id, requestNo: string, kind: string, outcome: Outcome | null | undefined, awaited?: Awaited) {
  return {
    instruction: toWire('instruction', id),
    requestNo,
    kind,
    ...stateOf(outcome, awaited),
    code: outcome?.code ?? null,
    detail: outcome?.detail ?? null,
    businessDate: outcome?.businessDate ?? null,
    decidedAt: outcome ? toRfc3339(outcome.decidedMs) : null,
  };
}

function stateOf(outcome: Outcome | null | undefined, awaited: Awaited | undefined) {
  if (outcome) return { state: outcome.state };
  if (awaited === undefined) return { state: 'received' as const };
  if ('decideByMs' in awaited) return { state: 'in-review' as const, decideBy: toRfc3339(awaited.decideByMs) };
  if ('missing' in awaited) return { state: 'awaiting-funds' as const, missing: toWireAmount(awaited.missing) };
  return { state: 'awaiting-consent' as const, consent: showAsked(awaited) };
}

/** The word alone. */
export function standingOf(outcome: Outcome | null | undefined, awaited: Awaited | undefined) {
  return stateOf(outcome, awaited).state;
}

const ORIGINS = { P: 'platform', S: 'system', O: 'bank' } as const;

export function showInstruction(vault: Vault, view: InstructionView, awaited?: Awaited, entries?: readonly Entry[]) {
  return {
    ...showOutcome(view.id, view.requestNo, view.kind, view.outcome, awaited),
    origin: ORIGINS[view.origin],
    data: maskedData(kinds.get(view.kind), view.body, vault),
    receivedAt: toRfc3339(view.receivedMs),
    ...(entries === undefined
      ? {}
      : {
          entries: entries.map(({ account, seq, amount, balance }) => ({
            account: toWire('account', account),
            seq,
            amount,
            balance,
          })),
        }),
  };
}

export function showBatch(
  id: Id,
  lines: readonly BatchLine[],
  outcomes: ReadonlyMap<Id, Outcome>,
  awaited: ReadonlyMap<Id, Awaited>,
) {
  const shown = lines.map(({ requestNo, instruction, code }, place) => {
    const outcome = instruction === null ? undefined : outcomes.get(instruction);
    return {
      line: place + 1,
      requestNo,
      instruction: instruction === null ? null : toWire('instruction', instruction),
      ...(code === null
        ? stateOf(outcome, instruction === null ? undefined : awaited.get(instruction))
        : { state: 'refused' as const }),
      code: code ?? outcome?.code ?? null,
      detail: outcome?.detail ?? null,
    };
  });
  const count = (state: string) => shown.filter((line) => line.state === state).length;
  return {
    batch: toWire('batch', id),
    lines: shown,
    posted: count('posted'),
    refused: count('refused'),
    undecided: count('received') + count('awaiting-consent') + count('awaiting-funds') + count('in-review'),
  };
}

/** A refused outcome as the problem that answers the request. */
export function refusedOutcome(id: Id, requestNo: string, outcome: Outcome): Refused {
  const code = outcome.code as RefusalCode;
  const { detail, ...fields } = { detail: REFUSALS[code].en as string, ...outcome.detail } as { detail: string } & Record<
    string,
    unknown
  >;
  return new Refused({ code, detail, fields: { ...fields, instruction: toWire('instruction', id), requestNo } });
}

export function idsOf(lines: readonly BatchLine[]): Id[] {
  return lines.flatMap(({ instruction }) => (instruction === null ? [] : [asId(instruction)]));
}
