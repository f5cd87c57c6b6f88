import type { BusinessDate } from '../kernel/index.js';
import { invariant } from '../kernel/index.js';
import type { Tx } from './database.js';

/**
 * Limits, deadlines and rates as dated rows: each is in force from its date until the next of its name. Amounts are minor units.
 */
export interface Parameters {
  /** The value in force on a date. @throws invariant when none was yet */
  on(date: BusinessDate, name: string): bigint;
  /** The same, or undefined where none was yet. */
  find(date: BusinessDate, name: string): bigint | undefined;
  /** Every row, by name and date. */
  readonly rows: readonly ParameterRow[];
}

export interface ParameterRow {
  readonly name: string;
  readonly validFrom: BusinessDate;
  readonly value: bigint;
  readonly source: string;
}

export function parametersOf(rows: readonly ParameterRow[]): Parameters {
  const byName = new Map<string, ParameterRow[]>();
  for (const row of [...rows].sort((a, b) => (a.validFrom < b.validFrom ? 1 : -1))) {
    const known = byName.get(row.name);
    if (known === undefined) byName.set(row.name, [row]);
    else known.push(row);
  }
  // A batch asks about one day over and over.
  let day = { date: '' as BusinessDate, values: new Map<string, bigint | undefined>() };
  const find = (date: BusinessDate, name: string) => {
    if (day.date !== date) day = { date, values: new Map() };
    if (!day.values.has(name)) day.values.set(name, byName.get(name)?.find((row) => row.validFrom <= date)?.value);
    return day.values.get(name);
  };
  return {
    rows,
    find,
    on(date, name) {
      const value = find(date, name);
      invariant(value !== undefined, `the parameter ${name} has a value on ${date}`);
      return value;
    },
  };
}

export async function loadParameters(tx: Tx): Promise<Parameters> {
  const rows = await tx.rows<{ name: string; valid_from: BusinessDate; value: string; source: string }>(
    'SELECT name, valid_from, value, source FROM parameters ORDER BY name, valid_from',
  );
  return parametersOf(
    rows.map((row) => ({ name: row.name, validFrom: row.valid_from, value: BigInt(row.value), source: row.source })),
  );
}

/** @throws a duplicate-key error when there is a row of this name and date: what was in force is never rewritten */
export async function addParameter(tx: Tx, { name, validFrom, value, source }: ParameterRow): Promise<void> {
  await tx.write('INSERT INTO parameters (name, valid_from, value, source) VALUES (?, ?, ?, ?)', [
    name,
    validFrom,
    String(value),
    source,
  ]);
}
