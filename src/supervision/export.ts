import { createHash } from 'node:crypto';
import { asId, type BusinessDate, type Id, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { csvLine, type Runtime } from '../runtime/index.js';
import { type LargeValueReport, linesOf, listReports, type ReportLine } from './large-value-store.js';
import { particularsOf } from './particulars.js';
import type { Particulars } from './particulars-store.js';

const PAGE = 500;

interface Exported {
  readonly report: LargeValueReport;
  readonly who: Particulars;
  readonly lines: readonly ReportLine[];
}

/** The large values of a day with their particulars, for the monitoring centre: the same bytes as long as nothing was decided in between. */
export async function exportOfDay(
  rt: Pick<Runtime, 'db' | 'vault'>,
  date: BusinessDate,
  format: 'csv' | 'json',
): Promise<Buffer> {
  const found: Exported[] = [];
  for (let after: Id = asId('0'); ; ) {
    const reports = await rt.db.read('export', (tx) => listReports(tx, { date, after }, PAGE));
    for (const report of reports) if (report.state !== 'exempted') found.push(await exported(rt, report));
    const last = reports.at(-1);
    if (last === undefined || reports.length < PAGE) break;
    after = last.id;
  }
  return Buffer.from(format === 'csv' ? csvOf(date, found) : jsonOf(date, found), 'utf8');
}

async function exported({ db, vault }: Pick<Runtime, 'db' | 'vault'>, report: LargeValueReport): Promise<Exported> {
  const lines: ReportLine[] = [];
  for (let after = '0'; ; ) {
    const read = await db.read('export-lines', (tx) => linesOf(tx, report.id, after, PAGE));
    lines.push(...read);
    const last = read.at(-1);
    if (last === undefined || read.length < PAGE) break;
    after = last.instruction;
  }
  const who = await db.read('export-who', (tx) => particularsOf(tx, vault, [report.subject]));
  return { report, who: who(report.subject), lines };
}

function csvOf(date: BusinessDate, found: readonly Exported[]): string {
  const parts = [csvLine(['H', 'large-value', date, 'CNY', 'fen'])];
  let sum = 0n;
  let evidence = 0;
  for (const { report, who, lines } of found) {
    const { side, class: item, amount, threshold, dueOn, state } = report;
    const id = toWire('large-value', report.id);
    parts.push(
      csvLine(['R', id, who.kind, who.name, who.idType, who.idNo, side, item, amount, lines.length, threshold, dueOn, state]),
    );
    for (const line of lines) {
      const place = [toWire('instruction', line.instruction), toWire('platform', line.platformId)];
      parts.push(csvLine(['E', id, ...place, line.kind, line.amount, toRfc3339(line.atMs)]));
    }
    sum += amount;
    evidence += lines.length;
  }
  const digest = createHash('sha256').update(parts.join('')).digest('hex');
  return parts.join('') + csvLine(['T', found.length, evidence, sum, digest]);
}

function jsonOf(date: BusinessDate, found: readonly Exported[]): string {
  const reports = found.map(({ report, who, lines }) => ({
    id: toWire('large-value', report.id),
    customer: who,
    ...{ side: report.side, class: report.class, dueOn: report.dueOn, state: report.state },
    amount: toWireAmount(report.amount),
    threshold: toWireAmount(report.threshold),
    lines: lines.map((line) => ({
      instruction: toWire('instruction', line.instruction),
      platform: toWire('platform', line.platformId),
      kind: line.kind,
      amount: toWireAmount(line.amount),
      at: toRfc3339(line.atMs),
    })),
  }));
  return JSON.stringify({ type: 'large-value', date, currency: 'CNY', reports });
}
