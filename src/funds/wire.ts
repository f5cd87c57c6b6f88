import { z } from 'zod';
import { maskCardNumber, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { bankCodeSchema, businessDateSchema, rfc3339Schema, textSchema, type Vault } from '../runtime/index.js';
import type { FundProposal } from './catalogue.js';
import { freeUnits } from './moves.js';
import type { Fund, FundDay, FundOrder, Holding } from './records.js';
import type { FundFigures } from './store.js';

const units = z.string().meta({ description: 'Hundredths of units, as digits', example: '10000' });
const amount = z.int().meta({ description: 'Minor units', example: 10_000 });
const date = businessDateSchema;

const codeSchema = z.string().regex(/^[0-9]{6}$/, { error: 'must be six digits' });

/** An entry of the catalogue as staff proposes it. */
export const newFundSchema = z.strictObject({
  code: codeSchema,
  name: textSchema(128),
  company: z
    .string()
    .regex(/^[A-Za-z0-9]{1,9}$/, { error: 'must be 1 to 9 letters and digits' })
    .meta({ description: 'The code of its company where files are exchanged 基金公司代码' }),
  kind: z.enum(['money', 'other']),
  custody: z
    .strictObject({
      name: textSchema(128),
      account: z.string().regex(/^[A-Za-z0-9]{1,34}$/, { error: 'must be 1 to 34 letters and digits' }),
      bankCode: bankCodeSchema,
    })
    .meta({ description: "The fund's custody account: the only one to which money of purchases goes" }),
  settlesIn: z.int().min(1).max(10).meta({ description: 'Trading days from T on after which the company gets the money' }),
  sells: z.boolean().meta({ description: 'Whether units can be bought' }),
});

export function fundAsked(vault: Vault, asked: z.output<typeof newFundSchema>): Fund {
  const { name, account, bankCode } = asked.custody;
  return { ...asked, custody: { name: vault.seal(name), account: vault.seal(account), bankCode } };
}

const daySchema = z.strictObject({
  date,
  from: date.meta({ description: 'The income is that of all natural days from this one on' }),
  nav: z.string().meta({ description: 'Value of a unit in 1/10,000 yuan (单位净值)', example: '10000' }),
  per10k: z.string().nullable().meta({ description: 'Income of 10,000 units in 1/10,000 yuan (万份收益)', example: '4021' }),
  sevenDay: z
    .string()
    .nullable()
    .meta({ description: 'Yield of seven days in 1/1,000 percent a year (七日年化)', example: '1480' }),
});

export const fundSchema = z
  .strictObject({
    code: codeSchema,
    name: z.string(),
    company: z.string(),
    kind: z.enum(['money', 'other']),
    settlesIn: z.int(),
    sells: z.boolean(),
    latest: daySchema.nullable().meta({ description: 'What the company has told last' }),
  })
  .meta({ id: 'Fund', description: 'A fund in the catalogue 基金' });

export function showFund({ code, name, company, kind, settlesIn, sells }: Fund, latest: FundDay | undefined) {
  return { code, name, company, kind, settlesIn, sells, latest: latest === undefined ? null : showDay(latest) };
}

function showDay({ date: of, from, nav, per10k, sevenDay }: FundDay): z.input<typeof daySchema> {
  const text = (value: bigint | null) => (value === null ? null : String(value));
  return { date: of, from, nav: String(nav), per10k: text(per10k), sevenDay: text(sevenDay) };
}

export const proposalSchema = z
  .strictObject({
    proposal: z.string(),
    fund: newFundSchema.extend({ custody: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }) }),
    state: z.enum(['proposed', 'approved', 'rejected', 'withdrawn']),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'FundProposal', description: 'What one person proposes about the catalogue and another decides' });

export function showProposal(vault: Vault, of: FundProposal): z.input<typeof proposalSchema> {
  const { name, account, bankCode } = of.fund.custody;
  return {
    proposal: toWire('proposal', of.id),
    fund: { ...of.fund, custody: { name: vault.read(name), account: maskCardNumber(vault.read(account)), bankCode } },
    state: of.state,
    proposedBy: toWire('operator', of.proposedBy),
    proposedAt: toRfc3339(of.proposedMs),
    decidedBy: of.decidedBy === null ? null : toWire('operator', of.decidedBy),
    decidedAt: of.decidedMs === null ? null : toRfc3339(of.decidedMs),
  };
}

export const holdingSchema = z
  .strictObject({
    account: z.string(),
    fund: codeSchema,
    units: units.meta({ description: 'All confirmed units, in hundredths' }),
    free: units.meta({ description: 'Of them those that no redemption has taken' }),
    pending: amount.meta({ description: 'Money of purchases that are not confirmed' }),
    due: amount.meta({ description: 'What confirmed redemptions are still to bring' }),
    income: amount.meta({ description: 'All income so far' }),
    incomeTo: date.nullable().meta({ description: 'The last day whose income is among the units' }),
  })
  .meta({ id: 'FundHolding', description: 'What an account has of a fund 基金份额' });

export function showHolding(holding: Holding): z.input<typeof holdingSchema> {
  return {
    account: toWire('account', holding.accountId),
    fund: holding.fund,
    units: String(holding.units),
    free: String(freeUnits(holding)),
    pending: toWireAmount(holding.pending),
    due: toWireAmount(holding.due),
    income: toWireAmount(holding.income),
    incomeTo: holding.incomeTo,
  };
}

export const orderSchema = z
  .strictObject({
    order: z.string(),
    account: z.string(),
    fund: codeSchema,
    direction: z.enum(['subscription', 'redemption']),
    way: z.enum(['direct', 'pot', 'ordinary', 'fast', 'exchange']),
    state: z.enum(['waiting', 'created', 'sent', 'confirmed', 'settled', 'failed']),
    amount: amount.meta({ description: 'Of a purchase what is paid; of a redemption what it brings, 0 before it is confirmed' }),
    units,
    nav: z.string().nullable().meta({ description: 'At which value it was confirmed, in 1/10,000 yuan' }),
    tradingDate: date.nullable().meta({ description: 'T; null while it waits for the purchase that it pays for' }),
    confirmedOn: date.nullable(),
    settlesOn: date
      .nullable()
      .meta({ description: 'Of a purchase: when its money is due at the custody of the fund; null of a redemption' }),
    partner: z.string().nullable().meta({ description: 'Of a purchase out of the pot its redemption, and the other way round' }),
    reason: z.string().nullable(),
    createdAt: rfc3339Schema,
  })
  .meta({ id: 'FundOrder', description: 'An order of units 基金委托' });

export function showOrder(order: FundOrder): z.input<typeof orderSchema> {
  const { fund, direction, way, state, tradingDate, confirmedOn, settlesOn, reason } = order;
  return {
    order: toWire('fund-order', order.id),
    account: toWire('account', order.accountId),
    ...{ fund, direction, way, state, amount: toWireAmount(order.amount), units: String(order.units) },
    ...{ nav: order.nav === null ? null : String(order.nav), tradingDate, confirmedOn, settlesOn },
    partner: order.partnerId === null ? null : toWire('fund-order', order.partnerId),
    reason,
    createdAt: toRfc3339(order.createdMs),
  };
}

export const figuresSchema = z
  .strictObject({
    collection: amount.meta({ description: 'What stands on the collection account' }),
    collected: amount.meta({ description: 'What its orders say is theirs; the same, or the day does not prove' }),
    advance: amount.meta({ description: "What of the bank's own money can be advanced" }),
    advanced: amount.meta({ description: 'What of it is paid for redemptions and not back' }),
    repayable: amount.meta({ description: 'What those redemptions add up to; the same' }),
  })
  .meta({ id: 'FundFigures', description: "The accounts of a platform's book by which money of funds passes" });

export function showFigures(of: FundFigures): z.input<typeof figuresSchema> {
  return {
    ...{ collection: toWireAmount(of.collection), collected: toWireAmount(of.collected) },
    ...{ advance: toWireAmount(of.advance), advanced: toWireAmount(of.advanced), repayable: toWireAmount(of.repayable) },
  };
}
