import { z } from 'zod';
import { type BusinessDate, fromWire, type Id, naturalDate, Refused, refuse, toWire, wirePattern } from '../kernel/index.js';
import { loadParameters, type Route, type Runtime, route, type Tx } from '../runtime/index.js';
import { type Kept, keepUntil, mayBeDeleted } from './retention-rules.js';
import { endsOf, RECORD_CLASSES, type RecordClass } from './retention-store.js';

const operator = { audience: 'operator', tag: 'Supervision' } as const;
const params = z.strictObject({
  class: z.enum(RECORD_CLASSES as [RecordClass, ...RecordClass[]]),
  record: z.string().max(40).meta({ description: 'The id of a record of the class' }),
});

const keptSchema = z
  .strictObject({
    class: z.string(),
    record: z.string(),
    keepUntil: z.string().nullable().meta({ format: 'date', description: 'The last day; null: what it belongs to goes on' }),
    by: z.enum(['contract', 'relation']).nullable().meta({ description: 'Which of the two rules asks for it' }),
    mayBeDeleted: z.boolean(),
  })
  .meta({ id: 'Retention', description: '记录保存期限' });

/** Until when a record is kept. Nothing in this system deletes one; whoever wants to asks here first, and is refused before the day. */
export function retentionRoutes(rt: Runtime): Route[] {
  return [lookRoute(rt), deletionRoute(rt)];
}

interface Asked {
  readonly class: RecordClass;
  readonly record: string;
}

/** @throws Refused NOT_FOUND */
async function keptOf(tx: Tx, of: Asked, today: BusinessDate): Promise<Kept> {
  if (!wirePattern(of.class).test(of.record)) throw new Refused(refuse('NOT_FOUND'));
  const id: Id = fromWire(of.record);
  const ends = await endsOf(tx, of.class, id);
  if (ends === undefined) throw new Refused(refuse('NOT_FOUND'));
  return keepUntil(ends, today, await loadParameters(tx));
}

function show(of: Asked, kept: Kept, today: BusinessDate): z.input<typeof keptSchema> {
  return {
    class: of.class,
    record: of.record,
    keepUntil: kept === 'open' ? null : kept.until,
    by: kept === 'open' ? null : kept.by,
    mayBeDeleted: mayBeDeleted(kept, today),
  };
}

function lookRoute({ db, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/retention/{class}/{record}',
    permission: 'supervision.read',
    summary: 'Until when a record has to be kept',
    summaryZh: '记录保存期限查询',
    params,
    answers: { 200: { description: 'The last day', schema: keptSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params: of }) => {
      const today = naturalDate(clock.now());
      const kept = await db.read('retention', (tx) => keptOf(tx, of, today));
      return { status: 200, body: show(of, kept, today) };
    },
  });
}

function deletionRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/retention/{class}/{record}/deletion',
    permission: 'supervision.write',
    summary: 'Asks whether a record may be deleted: refused before its day, and written down either way',
    summaryZh: '记录删除许可审查',
    description: 'This deletes nothing. It is what an archive asks before it does.',
    params,
    answers: { 200: { description: 'It need not be kept any longer', schema: keptSchema } },
    refusals: ['NOT_FOUND', 'RECORD_MUST_BE_KEPT'],
    handle: async ({ params: of, tx }) => {
      const today = naturalDate(clock.now());
      const kept = await keptOf(tx, of, today);
      const shown = show(of, kept, today);
      if (!shown.mayBeDeleted) throw new Refused(refuse('RECORD_MUST_BE_KEPT', undefined, { keepUntil: shown.keepUntil }));
      return { status: 200, body: shown, audit: { target: `${of.class} ${toWire(of.class, fromWire(of.record))}` } };
    },
  });
}
