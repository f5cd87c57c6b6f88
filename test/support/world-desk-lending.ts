import { asId, type BusinessDate, type Id, type Instant } from '../../src/kernel/index.js';
import type { LedgerAccount, RecordType } from '../../src/ledger/index.js';
import {
  type Bid,
  bidRecords,
  type Claim,
  claimRecords,
  compensationRecords,
  newLoan,
  type Project,
  projectKey,
  projectRecords,
} from '../../src/lending/index.js';

interface Drawers {
  readonly kind: { readonly name: string };
  readonly now: Instant;
  readonly book: { readonly accounts: { readonly marketing: Id } };
  account(account: Id): { balance: bigint; held: LedgerAccount['held'] };
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
}

const id = (place: number) => asId(`2236512894231552${String(place).padStart(3, '0')}`);

/** What the examples of lending speak of: the project of each kind. */
export const PROJECTS = {
  bid: { project: id(81), projectNo: 'LP-1001' },
  'bid-cancel': { project: id(84), projectNo: 'LP-1007' },
  miscarriage: { project: id(82), projectNo: 'LP-1002' },
  'lend-out': { project: id(83), projectNo: 'LP-1003' },
  repayment: { project: id(85), projectNo: 'LP-1004' },
  compensation: { project: id(87), projectNo: 'LP-1005' },
  recovery: { project: id(88), projectNo: 'LP-1006' },
} as const;
/** The bid and the compensation that they name. */
export const OFFER = id(80);
export const PAID = id(86);
const LENT = {
  state: 'lent',
  raised: 10_000n,
  lentOn: '2026-01-15' as BusinessDate,
  loan: newLoan(10_000n),
  left: 10_000n,
} as const;

/** A project such that the example of this kind can be posted: 100.00 for three months at 12%, 等额本息. */
export function furnishProject(desk: Drawers, names: { platform: Id; anna: Id; ben: Id; lily2: Id }): void {
  const { name } = desk.kind;
  if (!(name in PROJECTS)) return;
  const { project: projectId, projectNo } = PROJECTS[name as keyof typeof PROJECTS];
  const isLent = ['repayment', 'compensation', 'recovery'].includes(name);
  const offers = ['bid-cancel', 'miscarriage', 'lend-out'].includes(name) ? [5_000n, 4_999n] : [];
  const raised = offers.reduce((sum, own) => sum + own, name === 'lend-out' ? 1n : 0n);
  const project: Project = {
    ...{ id: projectId, platformId: names.platform, projectNo, contentHash: Buffer.alloc(32), borrowerIndex: Buffer.alloc(32) },
    ...{ borrower: isLent ? names.lily2 : names.anna, guarantor: names.ben, payee: null, amount: 10_000n, months: 3 },
    ...{ rate: 120_000n, penaltyRate: 150_000n, method: 'annuity', lendFee: 100, interestFee: 1_000, mode: 'direct' },
    ...{ lenderMin: 100n, lenderMax: 9_000n, raiseUntilMs: Date.parse('2026-03-10T00:00:00+08:00') as Instant, purpose: '周转' },
    ...{ state: name === 'lend-out' ? 'full' : 'raising', raised, bids: offers.length, claims: 0, lentOn: null },
    ...{ loan: newLoan(0n), left: 0n, unrecovered: name === 'recovery' ? 500n : 0n, turn: 0, dueMs: null },
    ...{ createdMs: desk.now, endedMs: null, ...(isLent ? LENT : {}) },
  };
  desk.put(projectRecords, projectKey(names.platform, projectNo), project);
  for (const [place, own] of offers.entries()) {
    const marketing = name === 'lend-out' && place === 1 ? 1n : 0n;
    const bid: Bid = {
      ...{ id: place === 0 ? OFFER : id(79), platformId: names.platform, projectId, projectNo, account: names.lily2, own },
      ...{ marketing, cancelled: 0n, state: 'open', createdMs: desk.now },
    };
    desk.put(bidRecords, bid.id, bid);
    desk.account(names.lily2).held += own;
    Object.assign(desk.account(desk.book.accounts.marketing), { balance: marketing, held: marketing });
  }
  if (!isLent) return;
  const claim = (place: number, account: Id, left: bigint): Claim => ({
    ...{ id: id(90 + place), no: place, account, principal: left, left, earned: 0n, turn: 0 },
  });
  desk.put(claimRecords, projectId, { projectId, claims: [claim(1, names.anna, 6_000n), claim(2, names.ben, 4_000n)] });
  const paid = { id: PAID, payer: names.ben, way: 'direct' as const, amount: 500n, recovered: 0n };
  desk.put(compensationRecords, projectId, { projectId, paid: name === 'recovery' ? [paid] : [] });
}
