import { z } from 'zod';
import { type BusinessDate, naturalDate, Refused, refuse, WIRE_MAX } from '../kernel/index.js';
import {
  addParameter,
  businessDateSchema,
  isDuplicateKey,
  loadParameters,
  type ParameterRow,
  type Parameters,
  type Route,
  type Runtime,
  route,
  textSchema,
} from '../runtime/index.js';
import { decideParameter } from './parameter-rules.js';

const rowSchema = z
  .strictObject({
    name: z.string().meta({ example: 'class-2.out.day' }),
    validFrom: z.string().meta({ format: 'date', description: 'In force from this day until the next row of the name' }),
    value: z.int().meta({ description: 'Fen, a count, days, months, millionths a year, or 0 and 1' }),
    source: z.string().meta({ description: 'The document that says so' }),
  })
  .meta({ id: 'Parameter' });
const listSchema = z.strictObject({ items: z.array(rowSchema) });
/** What platforms may see: the limits of account classes, and what else stops an account. */
const TOLD = /^class-[23]\.|^limits\.|^dormancy\.|^id-expiry\.|^mobile\.|^adult\./;

/** Limits, deadlines and rates as dated rows: read by all as far as they concern them, added by the bank alone. */
export function parameterRoutes(rt: Runtime): Route[] {
  return [limitsRoute(rt), listRoute(rt), addRoute(rt)];
}

function show({ name, validFrom, value, source }: ParameterRow): z.output<typeof rowSchema> {
  return { name, validFrom, value: Number(value), source };
}

/** The row of each name that is in force on a day. */
function inForce({ rows }: Parameters, on: BusinessDate): ParameterRow[] {
  const latest = new Map<string, ParameterRow>();
  for (const row of rows) {
    const known = latest.get(row.name);
    if (row.validFrom <= on && (known === undefined || known.validFrom < row.validFrom)) latest.set(row.name, row);
  }
  return [...latest.values()];
}

function limitsRoute({ db, clock }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/limits',
    audience: 'platform',
    tag: 'Electronic accounts',
    summary: 'The limits of the law that are in force on a day',
    summaryZh: '限额参数查询（按日期）',
    query: z.strictObject({ on: businessDateSchema.optional().meta({ description: 'A natural day; today when absent' }) }),
    answers: { 200: { description: 'One row a name', schema: listSchema } },
    handle: async ({ query }) => {
      const parameters = await db.read('limits', loadParameters);
      const rows = inForce(parameters, query.on ?? naturalDate(clock.now())).filter(({ name }) => TOLD.test(name));
      return { status: 200, body: { items: rows.map(show) } };
    },
  });
}

function listRoute({ db }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/admin/v1/parameters',
    audience: 'operator',
    tag: 'Parameters',
    permission: 'platforms.read',
    summary: 'Every parameter with every date on which it changed or will change',
    summaryZh: '参数列表',
    answers: { 200: { description: 'Every row', schema: listSchema } },
    handle: async () => ({ status: 200, body: { items: (await db.read('parameters', loadParameters)).rows.map(show) } }),
  });
}

const addBody = z.strictObject({
  validFrom: businessDateSchema.meta({ description: 'Today or later' }),
  value: z
    .int()
    .min(0)
    .max(Number(WIRE_MAX))
    .transform((value) => BigInt(value)),
  source: textSchema(128).meta({ description: 'The document that says so' }),
});

function addRoute({ clock }: Runtime): Route {
  return route({
    method: 'PUT',
    path: '/admin/v1/parameters/{name}',
    audience: 'operator',
    tag: 'Parameters',
    permission: 'platforms.write',
    summary: 'Gives a parameter another value from a day on; what was in force before stays as it was',
    summaryZh: '新增参数取值（按生效日）',
    description: 'The same value from the same day again changes nothing.',
    params: z.strictObject({ name: z.string().max(48) }),
    body: addBody,
    answers: { 200: { description: 'The row', schema: rowSchema } },
    refusals: ['PARAMETER_BACKDATED', 'PARAMETER_EXISTS', 'PARAMETER_VALUE'],
    handle: async ({ params: { name }, body, tx }) => {
      const row: ParameterRow = { name, ...body };
      const { rows } = await loadParameters(tx);
      if (!rows.some((known) => known.name === name)) throw new Refused(refuse('NOT_FOUND'));
      const audit = { target: `parameter ${name}`, note: `from ${row.validFrom}: ${row.value}` };
      const there = rows.find((known) => known.name === name && known.validFrom === row.validFrom);
      if (there?.value === row.value) return { status: 200, body: show(there), audit };
      const refusal = there ? refuse('PARAMETER_EXISTS') : decideParameter(row, naturalDate(clock.now()));
      if (refusal !== undefined) throw new Refused(refusal);
      try {
        await addParameter(tx, row);
      } catch (error) {
        if (isDuplicateKey(error)) throw new Refused(refuse('PARAMETER_EXISTS')); // another came between
        throw error;
      }
      return { status: 200, body: show(row), audit };
    },
  });
}
