import { z } from 'zod';
import { type Judged, judgeSigned, type PublicKeys, signedSchema } from '../kernel/index.js';
import { csvLine } from '../runtime/index.js';

/** The form of a custody report (存管报告), and whether one is genuine: whoever holds it and the bank's public key needs nothing else. */
export const CUSTODY_REPORT_VERSION = 'cunguan-custody-report-1';

const count = z.int();
const fen = z.int().meta({
  description: 'Minor units (fen). What the bank owes is positive, and so is what is in custody, as in the proof of a day',
});

const contentSchema = z.strictObject({
  type: z.literal('custody-report'),
  platform: z.string(),
  name: z.string(),
  custodyNo: z.string(),
  currency: z.string(),
  from: z.string(),
  to: z.string(),
  balances: z.array(
    z.strictObject({ type: z.string(), openingAccounts: count, opening: fen, closingAccounts: count, closing: fen }),
  ),
  flows: z
    .array(z.strictObject({ kind: z.string(), in: fen, out: fen, lines: count }))
    .meta({ description: 'What crossed the wall of the custody account, by kind of instruction' }),
  open: z
    .strictObject({ subMerchants: count, parties: count, electronicAccounts: count, customers: count })
    .meta({ description: 'Those that were open at the end' }),
  days: z.strictObject({ all: count, closed: count, proved: count, unproved: z.array(z.string()) }),
  breaks: z.array(z.strictObject({ class: z.string(), state: z.string(), count, difference: fen })),
  payouts: z.array(z.strictObject({ purpose: z.string(), state: z.string(), count, amount: fen })),
});
export type CustodyReportContent = z.output<typeof contentSchema>;

export const custodyReportSchema = signedSchema(CUSTODY_REPORT_VERSION, contentSchema).meta({
  id: 'CustodyReport',
  description: '存管报告, signed by the bank',
});
export type CustodyReport = z.output<typeof custodyReportSchema>;

export function judgeCustodyReport(value: unknown, keys: PublicKeys): Judged<CustodyReport> {
  return judgeSigned(custodyReportSchema, 'custody report', value, keys);
}

/** The same as CSV; the last line has the hash, key and signature of the JSON form. */
export function csvOfReport({ content, hash, keyId, signature }: CustodyReport): string {
  const lines: (readonly (string | number)[])[] = [
    ['H', content.type, content.platform, content.name, content.custodyNo, content.currency, content.from, content.to],
    ...content.balances.map((row) => ['B', row.type, row.openingAccounts, row.opening, row.closingAccounts, row.closing]),
    ...content.flows.map((row) => ['F', row.kind, row.in, row.out, row.lines]),
    ['N', content.open.subMerchants, content.open.parties, content.open.electronicAccounts, content.open.customers],
    ['D', content.days.all, content.days.closed, content.days.proved, content.days.unproved.join(' ')],
    ...content.breaks.map((row) => ['K', row.class, row.state, row.count, row.difference]),
    ...content.payouts.map((row) => ['P', row.purpose, row.state, row.count, row.amount]),
    ['T', hash, keyId, signature],
  ];
  return lines.map(csvLine).join('');
}
