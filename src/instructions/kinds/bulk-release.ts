import { z } from 'zod';
import { type Id, type Minor, refuse, toWire } from '../../kernel/index.js';
import {
  type HoldsForPurpose,
  holdRecords,
  holdRemaining,
  holdsForPurposeRecords,
  purposeKey,
  RELEASE_MAX,
} from '../../orders/index.js';
import { textSchema, wireId } from '../../runtime/index.js';
import { type At, change, type Facts, type Kind, refused } from '../kind.js';

const schema = z
  .strictObject({
    holds: z.array(wireId('hold')).min(1).max(RELEASE_MAX).optional(),
    purpose: textSchema(128)
      .optional()
      .meta({ description: 'Instead: all holds for exactly this purpose that have something left' }),
  })
  .refine(({ holds, purpose }) => (holds === undefined) !== (purpose === undefined), {
    error: 'must name either holds or a purpose',
  });
type BulkRelease = z.output<typeof schema>;

function namedBy(data: BulkRelease, facts: Facts, at: At): Pick<HoldsForPurpose, 'holds' | 'total'> {
  const { holds, purpose = '' } = data;
  if (holds !== undefined) return { holds, total: holds.length };
  return facts.record(holdsForPurposeRecords, purposeKey(at.platformId, purpose)) ?? { holds: [], total: 0 };
}

/** Frees many holds wholly, all of them or none: those that are named, or all for one purpose (an order's number, for instance). */
export const bulkRelease: Kind<BulkRelease> = {
  name: 'bulk-release',
  en: 'Release of many holds',
  zh: '批量解冻',
  origins: ['P', 'O'],
  proof: 'reservation',
  schema,
  example: { holds: ['hld_2236512894231552009'] },
  needs: ({ purpose }, at) =>
    purpose === undefined ? {} : { records: [[holdsForPurposeRecords, purposeKey(at.platformId, purpose)]] },
  needsThen: (data, facts, at) => ({ records: namedBy(data, facts, at).holds.map((id) => [holdRecords, id] as const) }),
  decide(data, facts, at) {
    const { holds: ids, total } = namedBy(data, facts, at);
    const repeated = ids.find((id, place) => ids.indexOf(id) !== place);
    if (repeated !== undefined) return refused(refuse('HOLD_REPEATED', undefined, { hold: toWire('hold', repeated) }));
    if (total > RELEASE_MAX) return refused(refuse('HOLDS_TOO_MANY', undefined, { max: RELEASE_MAX, holds: total }));
    // So many ended in this very batch that those which are left were not all asked for.
    if (total > ids.length) return { waits: 'next-batch' };
    if (ids.length === 0) return refused(refuse('HOLD_NOT_FOUND', 'No hold for this purpose has anything left.'));
    const freed = new Map<Id, Minor>();
    const records = [];
    let sum = 0n;
    for (const id of ids) {
      const row = facts.record(holdRecords, id);
      if (row === undefined) return refused(refuse('HOLD_NOT_FOUND', undefined, { hold: toWire('hold', id) }));
      const left = holdRemaining(row);
      if (left === 0n) return refused(refuse('HOLD_ENDED', undefined, { hold: toWire('hold', id) }));
      freed.set(row.accountId, (freed.get(row.accountId) ?? 0n) + left);
      records.push(change(holdRecords, id, { ...row, released: row.released + left }));
      sum += left;
    }
    return {
      postings: [],
      holds: [...freed].map(([account, amount]) => ({ account, amount: -amount })),
      records,
      result: { released: String(sum), holds: ids.length },
    };
  },
};
