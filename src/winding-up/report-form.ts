import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type BusinessDate,
  canonicalJson,
  digestSchema,
  type PublicKeys,
  type Signed,
  shapeFault,
  signatureFault,
  signedSchema,
} from '../kernel/index.js';

/**
 * The report of a wind-down, as the bank signs it: the head with the sums and the digest of the lines, and a line an account. Whoever holds
 * both and the bank's public key needs neither the bank nor its database. Amounts are fen.
 */
export const REPORT_VERSION = 'cunguan-wind-down-1';
export const REPORT_FILE = 'cunguan-wind-down-file-1';

const amount = z.int();
const date = z.iso.date().transform((text) => text as BusinessDate);

const line = z.strictObject({
  account: z.string(),
  accountType: z.string(),
  owner: z.union([
    z.strictObject({ merchantNo: z.string() }),
    z.strictObject({ userNo: z.string() }),
    z.strictObject({ orderNo: z.string() }),
    z.literal('platform'),
    z.literal('bank'),
  ]),
  opening: amount.meta({ description: 'At the end of the business date before the approval' }),
  moved: amount.meta({ description: 'From and to other accounts of the book and from outside, balanced' }),
  paidOut: amount.meta({ description: 'Paid out of this account since then, and arrived' }),
  payouts: z.array(z.strictObject({ payout: z.string(), amount })),
  stays: amount,
  why: z.array(z.strictObject({ reason: z.string(), amount, code: z.string().optional(), next: z.string() })),
  claims: z
    .array(z.strictObject({ claim: z.string(), project: z.string(), left: amount }))
    .optional()
    .meta({ description: 'What is owed to it by projects that are not repaid: principal' }),
  owes: z
    .array(z.strictObject({ project: z.string(), left: amount, unrecovered: amount.optional() }))
    .optional()
    .meta({
      description:
        'What its owner borrowed and has not repaid: principal; `unrecovered`: what others paid for him and did not get back',
    }),
  recovers: z
    .array(z.strictObject({ compensation: z.string(), project: z.string(), left: amount }))
    .optional()
    .meta({ description: 'What its owner paid for borrowers and did not get back' }),
});
export type ReportLine = z.output<typeof line>;
export const reportLineSchema = line;

const content = z.strictObject({
  type: z.literal('wind-down'),
  platform: z.string(),
  custodyNo: z.string(),
  report: z.int(),
  start: date.meta({ description: 'The business date at whose end it starts' }),
  asOf: date.meta({ description: 'The business date at whose end it stands so' }),
  custody: z.strictObject({
    start: amount,
    cameIn: amount,
    cameBack: amount.meta({ description: 'Payouts that came back after they had arrived' }),
    wentOut: amount,
    stays: amount,
  }),
  accounts: z.strictObject({ opening: amount, moved: amount, paidOut: amount, stays: amount }),
  reasons: z.record(z.string(), z.strictObject({ accounts: z.int(), amount })),
  claims: z
    .strictObject({ count: z.int(), left: amount })
    .optional()
    .meta({ description: 'What borrowers owe to lenders in all; nothing of it is in custody' }),
  lines: z.strictObject({ count: z.int(), digest: digestSchema }),
});
export type ReportContent = z.output<typeof content>;
export type WindDownReport = Signed<ReportContent> & { readonly version: typeof REPORT_VERSION };
export const reportSchema = signedSchema(REPORT_VERSION, content);

const file = z.strictObject({ version: z.literal(REPORT_FILE), report: reportSchema, lines: z.array(line) });
export type ReportFile = z.output<typeof file>;

/** The sums of lines that go by, and their digest: SHA-256 over the canonical JSON of each and a line feed. */
export class Totals {
  readonly #hash = createHash('sha256');
  readonly accounts = { opening: 0, moved: 0, paidOut: 0, stays: 0 };
  readonly reasons: Record<string, { accounts: number; amount: number }> = {};
  count = 0;
  readonly claims = { count: 0, left: 0 };

  /** @returns the canonical text of the line */
  add(of: ReportLine): string {
    const text = canonicalJson(of);
    this.#hash.update(`${text}\n`);
    this.count += 1;
    for (const { left } of of.claims ?? []) {
      this.claims.count += 1;
      this.claims.left += left;
    }
    for (const name of ['opening', 'moved', 'paidOut', 'stays'] as const) this.accounts[name] += of[name];
    for (const why of of.why) {
      const sum = this.reasons[why.reason] ?? { accounts: 0, amount: 0 };
      this.reasons[why.reason] = { accounts: sum.accounts + 1, amount: sum.amount + why.amount };
    }
    return text;
  }

  end(): Pick<ReportContent, 'accounts' | 'reasons' | 'claims' | 'lines'> {
    return {
      ...{ accounts: this.accounts, reasons: this.reasons },
      ...(this.claims.count === 0 ? {} : { claims: this.claims }),
      lines: { count: this.count, digest: this.#hash.digest('hex') },
    };
  }
}

/** What in a report does not add up, in plain words; nothing when all does. */
export function sumFaults({ custody, accounts }: Pick<ReportContent, 'custody' | 'accounts'>): string[] {
  const faults: string[] = [];
  const { start, cameIn, cameBack, wentOut, stays } = custody;
  if (start + cameIn + cameBack !== wentOut + stays) faults.push('start and what came in is not what went out and what stays');
  if (accounts.opening !== start) faults.push('the accounts did not start with what was in custody');
  if (accounts.stays !== stays) faults.push('the accounts do not have what is in custody');
  if (accounts.opening + accounts.moved - accounts.paidOut !== accounts.stays)
    faults.push('the sums of the lines do not balance');
  return faults;
}

/** Judges the file of a report: the signature, every line, and every sum. @returns the report, or what is wrong in plain words */
export function judgeReport(value: unknown, keys: PublicKeys): ReportFile | string {
  const parsed = file.safeParse(value);
  if (!parsed.success) return shapeFault(parsed.error, 'report of a wind-down');
  const { report, lines } = parsed.data;
  const fault = signatureFault(report, keys);
  if (fault !== undefined) return fault;
  const totals = new Totals();
  for (const each of lines) {
    if (each.opening + each.moved - each.paidOut !== each.stays) return `the line of ${each.account} does not balance`;
    if (each.payouts.reduce((sum, of) => sum + of.amount, 0) !== each.paidOut)
      return `the payouts of ${each.account} are not its sum`;
    if (each.why.reduce((sum, of) => sum + of.amount, 0) !== each.stays)
      return `the reasons of ${each.account} are not what stays`;
    totals.add(each);
  }
  const sums = totals.end();
  if (canonicalJson(sums.lines) !== canonicalJson(report.content.lines)) return 'the lines are not those that were signed';
  const { accounts, reasons, claims } = report.content;
  if (
    canonicalJson(sums) !== canonicalJson({ accounts, reasons, ...(claims === undefined ? {} : { claims }), lines: sums.lines })
  )
    return 'the sums of the lines are not those that were signed';
  return sumFaults(report.content)[0] ?? parsed.data;
}
