import { OFFER, PROJECTS, SOLD } from '../../scripts/docs/example-projects.js';
import { type ElectronicAccount, electronicRecords } from '../../src/accounts/index.js';
import { asId, type Id, type Instant } from '../../src/kernel/index.js';
import type { AccountType } from '../../src/ledger/index.js';
import {
  BIDS_MAX,
  bidRecords,
  type Claim,
  type ClaimSale,
  claimRecords,
  compensationRecords,
  lendingTermsRecords,
  type Project,
  projectKey,
  projectRecords,
  saleRecords,
} from '../../src/lending/index.js';
import { DESK, type Desk } from '../support/world/desk.js';

import type { Wrong } from './kinds-claims.js';

type OfLending = keyof typeof PROJECTS;
const { anna, ben, lily2 } = DESK;
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const said = (fields: object) => (desk: Desk) => Object.assign(desk.data, structuredClone(fields));
const account = (id: Id, of: object) => (desk: Desk) => Object.assign(desk.account(id), of);
const type = (id: Id, of: AccountType) => account(id, { type: of });
const electronic = (fields: Partial<ElectronicAccount>) => (desk: Desk) => desk.bend(electronicRecords, lily2, fields);
const keyOf = (kind: OfLending) => projectKey(DESK.platform, PROJECTS[kind].projectNo);
const noProject = (kind: OfLending): Wrong => [
  'PROJECT_NOT_FOUND',
  'no such project',
  (desk) => desk.remove(projectRecords, keyOf(kind)),
];
const project = (kind: OfLending, fields: Partial<Project>) => (desk: Desk) => desk.bend(projectRecords, keyOf(kind), fields);
const marketing = (desk: Desk) => said({ marketing: cny(1) })(desk);
const late = (desk: Desk) => {
  desk.now = Date.parse('2026-03-10T00:00:00+08:00') as Instant;
};
const crowded = (kind: OfLending) => project(kind, { bids: BIDS_MAX });
const broke = account(lily2, { balance: 999n, held: 0n, uncleared: [] });

type OfTrade = 'claim-sale' | 'claim-sale-cancel' | 'claim-purchase';
const held = (kind: OfTrade, fields: Partial<Claim>) => (desk: Desk) => {
  const { project: key } = PROJECTS[kind];
  const { projectId, claims } = desk.get(claimRecords, key);
  desk.put(claimRecords, key, {
    projectId,
    claims: claims.map((claim) => (claim.id === SOLD ? { ...claim, ...fields } : claim)),
  });
};
const offered = (kind: OfTrade, fields: Partial<ClaimSale>) => (desk: Desk) => {
  const { project: key } = PROJECTS[kind];
  const { projectId, sales } = desk.get(saleRecords, key);
  desk.put(saleRecords, key, { projectId, sales: sales.map((sale) => ({ ...sale, ...fields })) });
};
const agreed = (advance: boolean) => (desk: Desk) =>
  desk.put(lendingTermsRecords, DESK.platform, {
    ...{ platformId: DESK.platform, advance, advanceCeiling: 0n, entrusted: false, reserve: false },
    ...{ advanceAccountId: ben, reserveAccountId: null },
  });
const tooMany = (desk: Desk) => {
  const { project: key } = PROJECTS['claim-purchase'];
  const { projectId, claims } = desk.get(claimRecords, key);
  const more = Array.from({ length: BIDS_MAX }, (_, place) => ({ ...(claims[1] as Claim), no: place + 3 }));
  desk.put(claimRecords, key, { projectId, claims: [...claims, ...more] });
};

export const LENDING_WRONGS: Readonly<Record<string, readonly Wrong[]>> = {
  bid: [
    noProject('bid'),
    ['ACCOUNT_NOT_FOUND', 'no such account', (desk) => desk.removeAccount(lily2)],
    ['ACCOUNT_TYPE_NOT_ALLOWED', 'no electronic account', type(lily2, 'sub')],
    ['LENDER_NOT_ALLOWED', 'he borrows himself', project('bid', { borrower: lily2 })],
    ['PROJECT_STATE', 'it is full', project('bid', { state: 'full' })],
    ['PROJECT_STATE', 'its time is over', late],
    ['PROJECT_RAISED', 'a fen more than is left to raise', said({ amount: cny(10_001) })],
    ['BID_BOUNDS', 'a fen more than one lender may have', said({ amount: cny(9_001) })],
    ['BIDS_MAX', 'so many bids that no more can be', crowded('bid')],
    ['ACCOUNT_BLOCKED', 'the bank has blocked it', electronic({ state: 'blocked' })],
    ['ACCOUNT_FROZEN', 'it is frozen', account(lily2, { state: 'frozen' })],
    ['PRODUCT_NOT_ALLOWED', 'it is a Class III account', electronic({ class: 3 })],
    ['FUNDS_INSUFFICIENT', 'the platform has not what it adds', marketing],
  ],
  'bid-cancel': [
    ['BID_NOT_FOUND', 'no such bid', (desk) => desk.remove(bidRecords, OFFER)],
    ['BID_STATE', 'it was lent out', (desk) => desk.bend(bidRecords, OFFER, { state: 'lent' })],
    ['BID_EXCEEDED', 'more than it is', said({ amount: cny(5_001) })],
  ],
  'lend-out': [
    noProject('lend-out'),
    [
      'LENDING_MODE',
      'nobody agreed to advances',
      (desk) => [agreed(false)(desk), project('lend-out', { mode: 'advance' })(desk)],
    ],
    ['PROJECT_STATE', 'it is not full', project('lend-out', { state: 'raising', mode: 'direct' })],
    [
      'PROJECT_STATE',
      'an advance after its time to raise',
      (desk) => [
        agreed(true)(desk),
        project('lend-out', { state: 'raising', mode: 'advance', raised: 9_999n })(desk),
        late(desk),
      ],
    ],
    [
      'BIDS_MAX',
      'an advance besides so many bids that its claim would be one too many',
      (desk) => [
        agreed(true)(desk),
        project('lend-out', { state: 'raising', mode: 'advance', raised: 9_999n })(desk),
        crowded('lend-out')(desk),
      ],
    ],
    [
      'ADVANCE_CEILING',
      'a fen more than was agreed',
      (desk) => [agreed(true)(desk), project('lend-out', { state: 'raising', mode: 'advance', raised: 9_999n })(desk)],
    ],
    ['LENDING_NOT_DIRECT', 'to somebody else', said({ to: `acc_${ben}` })],
    ['ACCOUNT_FROZEN', "a lender's account is frozen", account(lily2, { state: 'frozen' })],
    ['ACCOUNT_FROZEN', 'what comes to the borrower would be kept', account(anna, { state: 'frozen' })],
    ['ACCOUNT_CLOSED', "the borrower's account is closed", account(anna, { state: 'closed' })],
  ],
  miscarriage: [noProject('miscarriage'), ['PROJECT_STATE', 'it was lent out', project('miscarriage', { state: 'lent' })]],
  repayment: [
    noProject('repayment'),
    ['PROJECT_WRONG_PARTY', 'not from his account', said({ from: `acc_${ben}` })],
    ['PROJECT_STATE', 'it is repaid', project('repayment', { state: 'repaid' })],
    ['REPAYMENT_NOT_AHEAD', 'an instalment is due', said({ of: 'part-early' })],
    ['REPAYMENT_INEXACT', 'not what settles it', said({ of: 'early' })],
    ['REPAYMENT_EXCEEDED', 'a fen more than may be paid', said({ amount: cny(10_000) })],
    ['FUNDS_INSUFFICIENT', 'he has not so much', broke],
    ['ACCOUNT_CLOSED', "a lender's account is closed", account(anna, { state: 'closed' })],
  ],
  compensation: [
    noProject('compensation'),
    ['COMPENSATION_PAYER', 'he does not stand for it', project('compensation', { guarantor: null })],
    ['PROJECT_STATE', 'it is repaid', project('compensation', { state: 'repaid' })],
    ['ACCOUNT_FROZEN', 'what goes through the borrower would be kept', account(lily2, { state: 'frozen' })],
    ['COMPENSATION_EXCEEDED', 'a fen more than is overdue', said({ amount: cny(10_000) })],
    ['FUNDS_INSUFFICIENT', 'he has not so much', account(ben, { balance: 299n, held: 0n })],
  ],
  recovery: [
    noProject('recovery'),
    ['PROJECT_WRONG_PARTY', 'not from his account', said({ from: `acc_${ben}` })],
    ['COMPENSATION_NOT_FOUND', 'nothing was paid so', said({ compensation: `cmp_${asId('1000000000000000001')}` })],
    [
      'RECOVERY_EXCEEDED',
      'a fen more than was paid',
      (desk) => {
        const { project: key } = PROJECTS.recovery;
        const { paid, ...of } = desk.get(compensationRecords, key);
        desk.put(compensationRecords, key, { ...of, paid: paid.map((each) => ({ ...each, recovered: 201n })) });
      },
    ],
    ['FUNDS_INSUFFICIENT', 'he has not so much', account(lily2, { balance: 299n, held: 0n, uncleared: [] })],
  ],
  'claim-sale': [
    noProject('claim-sale'),
    ['ACCOUNT_NOT_FOUND', 'no such account', (desk) => desk.removeAccount(lily2)],
    ['ACCOUNT_TYPE_NOT_ALLOWED', 'no electronic account', type(lily2, 'sub')],
    ['PROJECT_STATE', 'it is repaid', project('claim-sale', { state: 'repaid' })],
    ['CLAIM_NOT_FOUND', "somebody else's claim", held('claim-sale', { account: ben })],
    ['SALE_TERMS', 'it ends in the past', late],
    ['SALE_EXCEEDED', 'a fen more than is left and not offered', said({ share: cny(4_001) })],
    ['SALE_TERMS', 'more than it can still bring', said({ price: cny(3_100) })],
    ['ACCOUNT_FROZEN', 'his account is frozen', account(lily2, { state: 'frozen' })],
  ],
  'claim-sale-cancel': [
    noProject('claim-sale-cancel'),
    ['SALE_NOT_OPEN', 'it was sold', offered('claim-sale-cancel', { state: 'sold' })],
    ['SALE_NOT_OPEN', 'its time is over', late],
    ['SALE_NOT_OPEN', 'the claim was paid on', held('claim-sale-cancel', { turn: 1 })],
  ],
  'claim-purchase': [
    noProject('claim-purchase'),
    ['ACCOUNT_NOT_FOUND', 'no such account', (desk) => desk.removeAccount(lily2)],
    ['ACCOUNT_TYPE_NOT_ALLOWED', 'no electronic account', type(lily2, 'sub')],
    ['LENDER_NOT_ALLOWED', 'he borrows himself', project('claim-purchase', { borrower: lily2 })],
    ['PROJECT_STATE', 'it is repaid', project('claim-purchase', { state: 'repaid' })],
    ['SALE_NOT_OPEN', 'it was taken back', offered('claim-purchase', { state: 'cancelled' })],
    ['LENDER_NOT_ALLOWED', 'he sells it himself', offered('claim-purchase', { seller: lily2 })],
    ['SALE_EXCEEDED', 'a fen more than is offered', said({ share: cny(2_001) })],
    ['PRICE_DIFFERS', 'a fen less than it costs', said({ amount: cny(949) })],
    ['CLAIMS_MAX', 'so many claims that no more can be', tooMany],
    ['FUNDS_INSUFFICIENT', 'he has not so much', account(lily2, { balance: 949n, held: 0n, uncleared: [] })],
  ],
};
