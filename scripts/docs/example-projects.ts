import { asId, type BusinessDate, type Id, type Instant } from '../../src/kernel/index.js';
import type { RecordType } from '../../src/ledger/index.js';
import {
  type Bid,
  bidRecords,
  type Claim,
  type ClaimSale,
  claimRecords,
  compensationRecords,
  newLoan,
  type Project,
  projectKey,
  projectRecords,
  saleRecords,
} from '../../src/lending/index.js';

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
  'claim-sale': { project: id(94), projectNo: 'LP-1011' },
  'claim-sale-cancel': { project: id(95), projectNo: 'LP-1012' },
  'claim-purchase': { project: id(96), projectNo: 'LP-1013' },
} as const;
/** The bid and the compensation that they name. */
export const OFFER = id(80);
const PAID = id(86);
/** The claim that changes hands, and the offer of it. */
export const SOLD = id(91);
const ON_SALE = id(93);
const LENT = {
  state: 'lent',
  raised: 10_000n,
  lentOn: '2026-01-15' as BusinessDate,
  loan: newLoan(10_000n),
  left: 10_000n,
} as const;

/** A book that the example stands in. */
interface Shelf {
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
  /** Reserves so much that is there, and of the platform's marketing money. */
  hold(account: Id, amount: bigint): void;
  holdMarketing(amount: bigint): void;
}

/**
 * A project such that the example of a kind of lending can be posted, if it is one: 100.00 for three months at 12%, 等额本息; A borrows and the
 * person lends until it is lent; then she has borrowed it of A (60.00) and B, who stands for her.
 */
export function exampleProject(
  kind: string,
  names: { readonly platform: Id; readonly anna: Id; readonly ben: Id; readonly lily2: Id; readonly now: Instant },
  shelf: Shelf,
): void {
  if (!(kind in PROJECTS)) return;
  const { project: projectId, projectNo } = PROJECTS[kind as keyof typeof PROJECTS];
  const isTraded = kind.startsWith('claim-');
  const isLent = isTraded || ['repayment', 'compensation', 'recovery'].includes(kind);
  const offers = ['bid-cancel', 'miscarriage', 'lend-out'].includes(kind) ? [5_000n, 4_999n] : [];
  const added = kind === 'lend-out' ? 1n : 0n;
  const project: Project = {
    ...{ id: projectId, platformId: names.platform, projectNo, contentHash: Buffer.alloc(32), borrowerIndex: Buffer.alloc(32) },
    ...(isTraded
      ? { borrower: names.ben, guarantor: null }
      : { borrower: isLent ? names.lily2 : names.anna, guarantor: names.ben }),
    ...{ payee: null, amount: 10_000n, months: 3 },
    ...{ rate: 120_000n, penaltyRate: 150_000n, method: 'annuity', lendFee: 100, interestFee: 1_000, mode: 'direct' },
    ...{ lenderMin: 100n, lenderMax: 9_000n, raiseUntilMs: Date.parse('2026-03-10T00:00:00+08:00') as Instant, purpose: '周转' },
    ...{ state: added > 0n ? 'full' : 'raising', raised: offers.reduce((sum, own) => sum + own, added), bids: offers.length },
    ...{ claims: 0, lentOn: null, loan: newLoan(0n), left: 0n, unrecovered: kind === 'recovery' ? 500n : 0n, turn: 0 },
    ...{ dueMs: null, createdMs: names.now, endedMs: null, ...(isLent ? LENT : {}) },
  };
  shelf.put(projectRecords, projectKey(names.platform, projectNo), project);
  for (const [place, own] of offers.entries()) {
    const bid: Bid = {
      ...{ id: place === 0 ? OFFER : id(79), platformId: names.platform, projectId, projectNo, account: names.lily2, own },
      ...{ marketing: place === 0 ? 0n : added, cancelled: 0n, state: 'open', createdMs: names.now },
    };
    shelf.put(bidRecords, bid.id, bid);
    shelf.hold(names.lily2, own);
  }
  if (added > 0n) shelf.holdMarketing(added);
  if (!isLent) return;
  const claim = (place: number, account: Id, left: bigint): Claim => ({
    ...{ id: id(90 + place), no: place, account, principal: left, left, earned: 0n, turn: 0 },
  });
  const seller = isTraded && kind !== 'claim-purchase' ? names.lily2 : names.anna;
  shelf.put(claimRecords, projectId, { projectId, claims: [claim(1, seller, 6_000n), claim(2, names.ben, 4_000n)] });
  const sale: ClaimSale = {
    ...{ id: ON_SALE, platformId: names.platform, projectId, claimId: SOLD, seller, share: 2_000n, price: 1_900n, sold: 0n },
    ...{ paid: 0n, fee: 100, untilMs: Date.parse('2026-03-09T00:00:00+08:00') as Instant, turn: 0, state: 'open' },
    createdMs: names.now,
  };
  if (isTraded) shelf.put(saleRecords, projectId, { projectId, sales: [sale] });
  const paid = { id: PAID, payer: names.ben, way: 'direct' as const, amount: 500n, recovered: 0n };
  shelf.put(compensationRecords, projectId, { projectId, paid: kind === 'recovery' ? [paid] : [] });
}
