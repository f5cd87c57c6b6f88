import { z } from 'zod';
import { Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { isAsset } from '../ledger/index.js';
import { currencySchema, parseJson, type Route, type Runtime, rfc3339Schema, route, shapeInvalid } from '../runtime/index.js';
import { outcomeFields } from './answers/views.js';
import { type Movement, refusedBefore, type Standing, tryOut, type Verdict } from './deciding/trial.js';
import type { Submission } from './intake/intake.js';
import { instructionSchema, parseInstruction } from './intake/parse.js';

const LINES_MAX = 100;

const instruction = instructionSchema('P');
const minor = z.int();
const standingSchema = z.strictObject({ balance: minor, available: minor, uncleared: minor });

const movementSchema = z
  .strictObject({
    account: z.string().nullable().meta({ description: 'null: the account would be opened' }),
    type: z.string(),
    amount: minor.meta({ description: 'Credit positive; zero where only what is held changes' }),
    before: standingSchema,
    after: standingSchema,
  })
  .meta({ id: 'Movement', description: 'What an instruction does to one account, in minor units' });

const verdictSchema = z
  .strictObject({
    requestNo: z.string().nullable().meta({ description: 'null where it cannot be read' }),
    kind: z.string().nullable(),
    state: outcomeFields.state,
    code: outcomeFields.code,
    detail: outcomeFields.detail,
    businessDate: outcomeFields.businessDate,
    instruction: z.string().nullable().meta({ description: 'The one that this number was given to before' }),
    replay: z.boolean(),
    movements: z.array(movementSchema),
    fees: z
      .strictObject({
        currency: currencySchema,
        before: minor.meta({ description: 'All that is credited' }),
        fees: minor.meta({ description: 'Of that to the accounts of commission and fees' }),
        after: minor.meta({ description: 'What the others get' }),
      })
      .nullable()
      .meta({ description: 'null where nothing would be posted' }),
  })
  .meta({ id: 'Verdict', description: 'What would become of an instruction' });

const dryRunSchema = z
  .strictObject({ asOf: rfc3339Schema, verdicts: z.array(verdictSchema) })
  .meta({ id: 'DryRun', description: 'Verdicts in the order of the instructions' });

export function dryRunRoutes(rt: Runtime): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/instructions/dry-run',
      audience: 'platform',
      tag: 'Instructions',
      summary: 'What would become of an instruction, or of up to 100 in order, if they were given now',
      summaryZh: '指令试算',
      description:
        'Takes the body of an instruction, or an array of them, and answers for each what giving it would answer, each after those ' +
        'before it, with its movements and what the fees take. The same code decides; nothing is written, no number is used up and no ' +
        'customer is asked. `awaiting-consent` says that one would be, `in-review` that people of the bank would look at it first.',
      body: 'raw',
      rawBody: {
        schema: z.union([instruction, z.array(instruction).min(1).max(LINES_MAX)]),
        mediaTypes: ['application/json'],
      },
      answers: { 200: { description: 'The verdicts', schema: dryRunSchema } },
      refusals: ['BODY_MALFORMED', 'DRY_RUN_TOO_LARGE'],
      async handle({ caller, text }) {
        const value = parseJson(text);
        const values = Array.isArray(value) ? value : [value];
        if (values.length > LINES_MAX) throw new Refused(refuse('DRY_RUN_TOO_LARGE', undefined, { max: LINES_MAX }));
        if (values.length === 0) throw shapeInvalid([{ in: 'body', pointer: '', detail: 'names at least one instruction' }]);
        const of = { platformId: caller.platformId, origin: 'P' as const, actor: caller.keyId };
        const read = values.map((each, place) => readLine(each, Array.isArray(value) ? `/${place}` : '', of));
        const verdicts = (
          await tryOut(
            rt,
            read.flatMap((line) => ('submission' in line ? [line.submission] : [])),
          )
        ).values();
        const shown = read.map((line) =>
          'submission' in line
            ? showVerdict(line.submission, verdicts.next().value as Verdict)
            : showVerdict({ requestNo: null, kind: null }, line.verdict),
        );
        return { status: 200, body: { asOf: toRfc3339(rt.clock.now()), verdicts: shown } };
      },
    }),
  ];
}

type Read = { readonly submission: Submission } | { readonly verdict: Verdict };

/** An instruction, or why intake would not read it. */
function readLine(value: unknown, root: string, of: Pick<Submission, 'platformId' | 'origin' | 'actor'>): Read {
  try {
    return { submission: { ...parseInstruction(value, 'P', root), ...of } };
  } catch (error) {
    if (error instanceof Refused) return { verdict: refusedBefore(error.refusal) };
    throw error;
  }
}

function showVerdict(of: { requestNo: string | null; kind: string | null }, verdict: Verdict) {
  const { state, code, detail, businessDate, instruction, replay, movements } = verdict;
  return {
    requestNo: of.requestNo,
    kind: of.kind,
    state,
    code,
    detail,
    businessDate,
    instruction: instruction === null ? null : toWire('instruction', instruction),
    replay,
    movements: movements.map(showMovement),
    fees: movements.length === 0 ? null : feesOf(movements),
  };
}

function showMovement({ account, type, amount, before, after }: Movement) {
  return {
    account: account === null ? null : toWire('account', account),
    type,
    amount: toWireAmount(amount),
    before: showStanding(before),
    after: showStanding(after),
  };
}

function showStanding({ balance, available, uncleared }: Standing) {
  return { balance: toWireAmount(balance), available: toWireAmount(available), uncleared: toWireAmount(uncleared) };
}

/** What of all that is credited the accounts of commission and fees get. */
function feesOf(movements: readonly Movement[]) {
  let before = 0n;
  let fees = 0n;
  for (const { amount, type } of movements) {
    if (amount <= 0n || isAsset(type)) continue;
    before += amount;
    if (type === 'commission' || type === 'fees') fees += amount;
  }
  return {
    currency: 'CNY' as const,
    before: toWireAmount(before),
    fees: toWireAmount(fees),
    after: toWireAmount(before - fees),
  };
}
