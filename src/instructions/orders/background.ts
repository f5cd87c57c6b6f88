import { z } from 'zod';
import { type AgreementVersion, agreedOn, agreementRecords, allowsCategory } from '../../agreements/index.js';
import { type Id, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import type { LedgerAccount } from '../../ledger/index.js';
import {
  backgroundRecords,
  categoryOn,
  categoryRecords,
  itemWhole,
  type Order,
  type OrderBackground,
  type OrderItem,
  type SellerTurnover,
  turnoverOn,
  turnoverRecords,
} from '../../orders/index.js';
import { instantSchema, moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { type At, change, type Facts, type Needs, type RecordChange } from '../kind.js';

const ITEMS_MAX = 100;

export const evidenceSchema = textSchema(128).meta({ description: 'A waybill number or a receipt of the service' });

/** What stands behind an order, as the platform tells it when the order is paid first. */
export const backgroundSchema = z
  .strictObject({
    buyer: textSchema(64).meta({ description: "The platform's own number of the buyer" }),
    items: z
      .array(
        z
          .strictObject({
            item: z.string().regex(/^[A-Za-z0-9_.-]{1,32}$/, { error: 'must be 1 to 32 of A–Z a–z 0–9 _ . -' }),
            seller: wireId('account'),
            name: textSchema(128),
            category: z.string().regex(/^[a-z0-9-]{1,32}$/, { error: 'must be the code of a category of goods' }),
            quantity: z.int().min(1).max(1_000_000),
            price: moneySchema.optional().meta({ description: 'Of all pieces together, without freight; absent: a gift' }),
            freight: moneySchema.optional(),
            evidence: evidenceSchema.optional(),
          })
          .refine(({ price, freight }) => price !== undefined || freight !== undefined, {
            error: 'must have a price or a freight',
          }),
      )
      .max(ITEMS_MAX)
      .refine((items) => new Set(items.map(({ item }) => item)).size === items.length, { error: 'each item has its own number' }),
    completesAt: instantSchema.optional().meta({ description: 'When it completes by itself' }),
  })
  .meta({ id: 'OrderBackground', description: 'What was bought of whom' });
export type AskedBackground = z.output<typeof backgroundSchema>;

/** What must be seen to take an order's background. */
export function backgroundNeeds(asked: AskedBackground | undefined): Needs {
  if (asked === undefined) return {};
  const sellers = [...new Set(asked.items.map(({ seller }) => seller))];
  const categories = [...new Set(asked.items.map(({ category }) => category))];
  return {
    accounts: sellers,
    records: [
      ...sellers.flatMap((seller) => [[agreementRecords, seller] as const, [turnoverRecords, seller] as const]),
      ...categories.map((code) => [categoryRecords, code] as const),
    ],
  };
}

/**
 * The background of an order that is paid for the first time, bound to the agreements in force today.
 * @returns its records, or BACKGROUND_MISSING, ACCOUNT_NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED, CATEGORY_UNKNOWN, CATEGORY_FORBIDDEN,
 *   AGREEMENT_MISSING, AGREEMENT_ENDED, ORDER_CAP, VOLUME_EXCEEDED, COMPLETION_PAST
 */
export function takenBackground(
  asked: AskedBackground | undefined,
  order: Pick<Order, 'accountId' | 'orderNo'>,
  facts: Facts,
  at: At,
): Refusal | { records: RecordChange[] } {
  const isRequired = at.book.terms.agreements === 'required';
  if (asked === undefined)
    return isRequired ? refuse('BACKGROUND_MISSING', undefined, { orderNo: order.orderNo }) : { records: [] };
  const items: OrderItem[] = [];
  for (const each of asked.items) {
    const item = takenItem(each, isRequired, facts, at);
    if ('code' in item) return item;
    items.push(item);
  }
  const dueMs = asked.completesAt ?? null;
  if (dueMs !== null && dueMs <= at.nowMs) return refuse('COMPLETION_PAST', undefined, { orderNo: order.orderNo });
  const turnovers = isRequired ? turnedOver(items, facts, at) : { records: [] };
  if ('code' in turnovers) return turnovers;
  const background: OrderBackground = {
    ...{ orderId: order.accountId, platformId: at.platformId, orderNo: order.orderNo, buyer: asked.buyer },
    ...{ bound: isRequired, items, completedMs: null, dueMs },
  };
  return { records: [change(backgroundRecords, order.accountId, background), ...turnovers.records] };
}

function takenItem(
  { item: no, seller, price, freight, evidence, ...goods }: AskedBackground['items'][number],
  isRequired: boolean,
  facts: Facts,
  at: At,
): Refusal | OrderItem {
  const where = { item: no, account: toWire('account', seller) };
  const account = facts.account(seller);
  if (account === undefined) return refuse('ACCOUNT_NOT_FOUND', undefined, where);
  if (account.type !== 'sub') return refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { ...where, type: account.type });
  const category = categoryOn(facts.record(categoryRecords, goods.category), at.book.businessDate);
  if (category === undefined) return refuse('CATEGORY_UNKNOWN', undefined, { ...where, category: goods.category });
  const version = isRequired ? versionOf(seller, facts, at) : undefined;
  if (version !== undefined && 'code' in version) return version;
  if (!category.allowed || (version !== undefined && !allowsCategory(version.terms, category.code)))
    return refuse('CATEGORY_FORBIDDEN', undefined, { ...where, category: category.code });
  const amounts = { price: price?.amount ?? 0n, freight: freight?.amount ?? 0n };
  return { no, seller, version: version?.id ?? null, ...goods, ...amounts, evidence: evidence ?? null, refunded: 0n, parts: [] };
}

/** What must be seen to pay a sub-merchant otherwise than by a split. */
export function receiverNeeds(receiver: Id, { book }: At): Needs {
  return book.terms.agreements === 'required' ? { records: [[agreementRecords, receiver]] } : {};
}

/** On a platform whose orders need agreements nobody is paid, or owes a fee, who has none: AGREEMENT_MISSING, AGREEMENT_ENDED. */
export function withoutAgreement({ id, type }: LedgerAccount, facts: Facts, at: At): Refusal | undefined {
  if (at.book.terms.agreements !== 'required' || type !== 'sub') return undefined;
  const version = versionOf(id, facts, at);
  return 'code' in version ? version : undefined;
}

function versionOf(seller: Id, facts: Facts, { book }: At): Refusal | AgreementVersion {
  return agreedOn(facts.record(agreementRecords, seller), seller, book.businessDate);
}

/** The caps that each seller's agreement sets on one order, a day and a month. */
function turnedOver(items: readonly OrderItem[], facts: Facts, at: At): Refusal | { records: RecordChange[] } {
  const date = at.book.businessDate;
  const amounts = new Map<Id, Minor>();
  for (const item of items) amounts.set(item.seller, (amounts.get(item.seller) ?? 0n) + itemWhole(item));
  const records: RecordChange[] = [];
  for (const [seller, amount] of amounts) {
    const version = versionOf(seller, facts, at);
    if ('code' in version) return version;
    const { orderMax, volume } = version.terms;
    const where = { account: toWire('account', seller) };
    if (orderMax !== null && amount > orderMax) return refuse('ORDER_CAP', undefined, { ...where, orderMax: String(orderMax) });
    const before = facts.record(turnoverRecords, seller);
    const today = before && turnoverOn(before, date);
    const after: SellerTurnover = {
      ...{ accountId: seller, platformId: at.platformId, on: date },
      ...{ day: (today?.day ?? 0n) + amount, month: (today?.month ?? 0n) + amount },
    };
    for (const [of, used] of [
      ['day', after.day],
      ['month', after.month],
    ] as const) {
      const most = volume[of];
      if (most !== null && used > most) return refuse('VOLUME_EXCEEDED', undefined, { ...where, of, most: String(most) });
    }
    records.push(change(turnoverRecords, seller, after));
  }
  return { records };
}
