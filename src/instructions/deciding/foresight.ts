import type { RecordType } from '../../ledger/index.js';
import type { At, Facts, Kind } from '../kind.js';

interface Looked {
  readonly kind: Kind;
  readonly data: unknown;
  readonly at: At;
}

/**
 * What the earlier of a batch will make, for those behind them: an order that is paid for and split at once is split in the same batch,
 * though what its split has to see is only known from what the payment tells. Nothing is decided by it; an instruction that was
 * foreseen wrongly finds that it has not seen enough and is the first of the next batch.
 * @returns the facts as they may be, for asking what to load
 */
export function foreseeing(works: readonly Looked[], factsOf: (at: At) => Facts): (at: At) => Facts {
  const wanted = new Set(works.flatMap(({ kind, data, at }) => (kind.needsThen === undefined ? [] : keysOf(kind, data, at))));
  const rows = new Map<string, unknown>();
  for (const { kind, data, at } of works) {
    if (kind.foresees === undefined || !keysOf(kind, data, at).some((key) => wanted.has(key))) continue;
    const facts = factsOf(at);
    for (const { type, key, row } of kind.foresees(data, facts, at)) rows.set(`${type.name}:${key}`, row);
  }
  if (rows.size === 0) return factsOf;
  return (at) => {
    const facts = factsOf(at);
    return {
      account: (id) => facts.account(id),
      record: <Row>(type: RecordType<Row>, key: string) =>
        facts.record(type, key) ?? (rows.get(`${type.name}:${key}`) as Row | undefined),
    };
  };
}

function keysOf(kind: Kind, data: unknown, at: At): string[] {
  return (kind.needs(data, at).records ?? []).map(([type, key]) => `${type.name}:${key}`);
}
