import { z } from 'zod';
import { type Id, type Minor, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import {
  advancedRecords,
  bought,
  type Claim,
  type ClaimSale,
  claimRecords,
  decideSale,
  feeOf,
  lendingTermsRecords,
  notNow,
  type Project,
  priceOf,
  saleRecords,
  withoutEnded,
  withSold,
} from '../../../lending/index.js';
import { instantSchema, moneySchema, wireId } from '../../../runtime/index.js';
import { electronicAccount, isSameOwner } from '../../electronic.js';
import { mayAct } from '../../judging/limits.js';
import { type At, change, type Facts, type Kind, type RecordChange, refused } from '../../kind.js';
import {
  claimsChange,
  claimsOn,
  isParty,
  ofProject,
  projectChange,
  projectIn,
  projectNeeds,
  projectNo,
  Sums,
} from './project.js';

const FEE_MAX = 1_000; // a tenth of the price

interface Market {
  readonly project: Project;
  readonly claims: readonly Claim[];
  /** Those that nobody saw end before, ended ones among them. */
  readonly sales: readonly ClaimSale[];
}

function marketOf(named: { readonly projectNo: string }, facts: Facts, at: At): Market | Refusal {
  const project = projectIn(named, facts, at);
  if ('code' in project) return project;
  const claims = claimsOn(project, facts);
  const sales = withoutEnded(facts.record(saleRecords, project.id)?.sales ?? [], claims, at.nowMs);
  return { project, claims, sales };
}

const salesChange = ({ id: projectId }: Project, sales: readonly ClaimSale[]): RecordChange =>
  change(saleRecords, projectId, { projectId, sales });

/** @returns SALE_NOT_OPEN */
function openSaleIn({ sales }: Market, id: Id): ClaimSale | Refusal {
  const sale = sales.find((each) => each.id === id && each.state === 'open');
  return sale ?? refuse('SALE_NOT_OPEN', undefined, { sale: toWire('claim-sale', id) });
}

const saleSchema = z.strictObject({
  projectNo,
  claim: wireId('claim'),
  account: wireId('account').meta({ description: 'The account that holds the claim' }),
  share: moneySchema.meta({ description: 'How much of the principal that is left is offered' }),
  price: moneySchema.meta({ description: 'What all of the share costs; not more than it can still bring' }),
  fee: z.int().min(0).max(FEE_MAX).default(0).meta({ description: 'Basis points of what the seller gets, for the platform' }),
  until: instantSchema,
});

/** A lender offers his claim, or a part of it, to the others of the platform. He says yes to share, price and fee; nothing moves yet. */
export const claimSale: Kind<z.output<typeof saleSchema>> = {
  name: 'claim-sale',
  en: 'Offer of a claim',
  zh: '债权转让挂牌',
  origins: ['P'],
  proof: 'will',
  schema: saleSchema,
  example: {
    ...{ projectNo: 'LP-1011', claim: 'clm_2236512894231552091', account: 'acc_2236512894231552006' },
    ...{ share: { amount: 3000, currency: 'CNY' }, price: { amount: 2900, currency: 'CNY' } },
    until: '2026-03-09T00:00:00+08:00',
  },
  act: ({ projectNo: project, account, share, price, fee, until }) => ({
    ...{ account, amount: undefined, payee: { project } },
    sells: { share: share.amount, price: price.amount, fee: feeOf(price.amount, fee), untilMs: until },
  }),
  needs: (data, at) => ({ accounts: [data.account], records: projectNeeds(data, at) }),
  needsThen: ofProject(claimRecords, saleRecords),
  decide(data, facts, at) {
    const market = marketOf(data, facts, at);
    if ('code' in market) return refused(market);
    const { project, claims, sales } = market;
    const seller = electronicAccount(data.account, facts);
    if ('code' in seller) return refused(seller);
    const { claim, share, price, fee, until } = data;
    const offer = { claimId: claim, seller: seller.id, share: share.amount, price: price.amount, untilMs: until };
    const open = sales.filter(({ state }) => state === 'open');
    // No money moves, so nothing else looks whether he may act: he may have been stopped since he was asked.
    const refusal =
      decideSale(project, claims, open, offer, { on: at.book.businessDate, nowMs: at.nowMs }) ?? mayAct(facts, at, seller.id);
    if (refusal !== undefined) return refused(refusal);
    const sale: ClaimSale = {
      ...{ ...offer, id: at.instruction, platformId: at.platformId, projectId: project.id },
      ...{ sold: 0n, paid: 0n, fee, state: 'open', createdMs: at.nowMs },
      turn: claims.find(({ id }) => id === claim)?.turn ?? 0,
    };
    return {
      postings: [],
      records: [salesChange(project, [...sales, sale])],
      result: { sale: toWire('claim-sale', sale.id) },
    };
  },
};

const cancelSchema = z.strictObject({ projectNo, sale: wireId('claim-sale') });

/** An offer is taken back; what was sold of it stays sold. */
export const claimSaleCancel: Kind<z.output<typeof cancelSchema>> = {
  name: 'claim-sale-cancel',
  en: 'Cancellation of an offer of a claim',
  zh: '债权转让撤销',
  origins: ['P', 'O'],
  proof: 'reservation',
  schema: cancelSchema,
  example: { projectNo: 'LP-1012', sale: 'cls_2236512894231552093' },
  needs: (data, at) => ({ records: projectNeeds(data, at) }),
  needsThen: ofProject(claimRecords, saleRecords),
  decide(data, facts, at) {
    const market = marketOf(data, facts, at);
    if ('code' in market) return refused(market);
    const { project, sales } = market;
    const sale = openSaleIn(market, data.sale);
    if ('code' in sale) return refused(sale);
    const after = sales.map((each) => (each === sale ? { ...each, state: 'cancelled' as const } : each));
    return { postings: [], records: [salesChange(project, after)], result: { unsold: String(sale.share - sale.sold) } };
  },
};

const purchaseSchema = z.strictObject({
  projectNo,
  sale: wireId('claim-sale')
    .optional()
    .meta({ description: "The offer; absent: at face, of what the platform's advance account has lent" }),
  account: wireId('account').meta({ description: "The buyer's Class II account" }),
  share: moneySchema.meta({ description: 'How much of the principal he buys' }),
  amount: moneySchema.meta({ description: 'What he pays for it: exactly the price of that share' }),
  mandate: wireId('mandate').optional(),
});
type PurchaseData = z.output<typeof purchaseSchema>;

/**
 * A lender buys of an offer, or takes over what the platform advanced: he has the claim in the same commit in which he pays for it, straight to
 * whoever had it; what is paid on it from then on is his.
 */
export const claimPurchase: Kind<PurchaseData> = {
  name: 'claim-purchase',
  en: 'Purchase of a claim',
  zh: '债权承接',
  origins: ['P'],
  proof: 'will',
  schema: purchaseSchema,
  example: {
    ...{ projectNo: 'LP-1013', sale: 'cls_2236512894231552093', account: 'acc_2236512894231552006' },
    ...{ share: { amount: 1000, currency: 'CNY' }, amount: { amount: 950, currency: 'CNY' } },
  },
  act: ({ projectNo: project, account, amount, mandate }) => ({ account, amount: amount.amount, payee: { project }, mandate }),
  needs: (data, at) => ({
    accounts: [data.account, at.book.accounts.commission],
    records: [...projectNeeds(data, at), [lendingTermsRecords, at.platformId], [advancedRecords, at.platformId]],
  }),
  needsThen: ofProject(claimRecords, saleRecords),
  decide(data, facts, at) {
    const market = marketOf(data, facts, at);
    if ('code' in market) return refused(market);
    const { project, claims, sales } = market;
    const buyer = electronicAccount(data.account, facts);
    if ('code' in buyer) return refused(buyer);
    const barred = isParty(project, buyer.id, facts);
    if (barred !== undefined) return refused(barred);
    if (project.state !== 'lent') return refused(notNow(project));
    const offered = offerOf(data, market, facts, at);
    if ('code' in offered) return refused(offered);
    const [share, amount] = [data.share.amount, data.amount.amount];
    const purchase = { id: at.instruction, buyer: buyer.id, share, amount };
    const after = bought(project, claims, offered, purchase);
    if ('code' in after) return refused(after);
    const fee = feeOf(amount, offered.fee);
    const sums = new Sums()
      .add(buyer.id, -amount)
      .add(offered.seller, amount - fee)
      .add(at.book.accounts.commission, fee);
    const outstanding = facts.record(advancedRecords, at.platformId)?.outstanding ?? 0n;
    return {
      postings: sums.postings(facts, at),
      records: [
        projectChange({ ...project, claims: project.claims + 1 }, at),
        claimsChange(project, after),
        offered.sale === undefined
          ? change(advancedRecords, at.platformId, { outstanding: outstanding - share })
          : salesChange(
              project,
              sales.map((each) => (each === offered.sale ? withSold(each, share, amount) : each)),
            ),
      ],
      result: { claim: toWire('claim', purchase.id), seller: toWire('account', offered.seller), fee: String(fee) },
    };
  },
};

interface Offered {
  readonly claimId: Id;
  readonly seller: Id;
  readonly left: Minor;
  readonly price: Minor;
  readonly fee: number;
  readonly sale?: ClaimSale;
}

/** Of whom he buys, and what it costs. */
function offerOf({ sale: id, share, account }: PurchaseData, market: Market, facts: Facts, at: At): Offered | Refusal {
  if (id === undefined) {
    const advance = facts.record(lendingTermsRecords, at.platformId)?.advanceAccountId ?? null;
    const claim = market.claims.find((each) => each.account === advance && each.left > 0n);
    if (claim === undefined) return refuse('SALE_NOT_OPEN', 'The platform has no claim on this project.');
    return { claimId: claim.id, seller: claim.account, left: claim.left, price: share.amount, fee: 0 };
  }
  const sale = openSaleIn(market, id);
  if ('code' in sale) return sale;
  if (isSameOwner(sale.seller, account, facts)) return refuse('LENDER_NOT_ALLOWED', 'It is his own.');
  const { claimId, seller, fee } = sale;
  return { claimId, seller, left: sale.share - sale.sold, price: priceOf(sale, share.amount), fee, sale };
}
