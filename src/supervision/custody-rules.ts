import { createHash, type KeyObject, verify } from 'node:crypto';
import { canonicalJson } from '../kernel/index.js';
import { csvLine } from './csv.js';

/**
 * The form of a custody report (存管报告), and whether one is genuine: whoever holds it and the bank's public key needs nothing else. `hash` is SHA-256
 * over the canonical JSON of `content`; signed with Ed25519 is the text `<version>\n<keyId>\n<hash>`.
 */
export const CUSTODY_REPORT_VERSION = 'cunguan-custody-report-1';

/** Amounts are fen, in the sign of what the bank owes: custody is negative. */
export interface CustodyContent {
  readonly type: 'custody-report';
  readonly platform: string;
  readonly name: string;
  readonly custodyNo: string;
  readonly currency: string;
  readonly from: string;
  readonly to: string;
  readonly balances: readonly {
    readonly type: string;
    readonly openingAccounts: number;
    readonly opening: number;
    readonly closingAccounts: number;
    readonly closing: number;
  }[];
  /** What crossed the wall of the custody account, by kind of instruction. */
  readonly flows: readonly { readonly kind: string; readonly in: number; readonly out: number; readonly lines: number }[];
  /** Those that were open at the end. */
  readonly open: {
    readonly subMerchants: number;
    readonly parties: number;
    readonly electronicAccounts: number;
    readonly customers: number;
  };
  readonly days: { readonly all: number; readonly closed: number; readonly proved: number; readonly unproved: readonly string[] };
  readonly breaks: readonly {
    readonly class: string;
    readonly state: string;
    readonly count: number;
    readonly difference: number;
  }[];
  readonly payouts: readonly {
    readonly purpose: string;
    readonly state: string;
    readonly count: number;
    readonly amount: number;
  }[];
}

export interface SignedCustodyReport {
  readonly version: string;
  readonly content: CustodyContent;
  readonly hash: string;
  readonly keyId: string;
  readonly signature: string;
}

export function hashOfReport(content: CustodyContent): string {
  return createHash('sha256').update(canonicalJson(content), 'utf8').digest('hex');
}

export function signedReportText(keyId: string, hash: string): string {
  return `${CUSTODY_REPORT_VERSION}\n${keyId}\n${hash}`;
}

/** In plain words the first thing that is wrong with a report; undefined: it is genuine. */
export function faultOfReport(report: SignedCustodyReport, key: KeyObject): string | undefined {
  if (report.version !== CUSTODY_REPORT_VERSION) return `it is no ${CUSTODY_REPORT_VERSION}`;
  const hash = hashOfReport(report.content);
  if (hash !== report.hash) return `the content was altered: its hash is ${hash}`;
  const text = Buffer.from(signedReportText(report.keyId, hash), 'utf8');
  return verify(null, text, key, Buffer.from(report.signature, 'base64url'))
    ? undefined
    : 'the signature is not of this content and key';
}

/** The same as CSV; the last line has the hash, key and signature of the JSON form. */
export function csvOfReport({ content, hash, keyId, signature }: SignedCustodyReport): string {
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
