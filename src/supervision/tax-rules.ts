import { allocate, type Minor } from '../kernel/index.js';

/** What a seller earned, worked out of the entries of one instruction at a time. Pure. Amounts are minor units. */
export interface TaxFigures {
  /** What orders brought him, with the platform's commission on it. */
  readonly gross: Minor;
  /** What of it went back to orders and payers, with the commission that went back. */
  readonly refunds: Minor;
  /** The platform's commission on what he kept. */
  readonly commission: Minor;
  readonly fees: Minor;
}

export const NOTHING_EARNED: TaxFigures = { gross: 0n, refunds: 0n, commission: 0n, fees: 0n };

export function addFigures(a: TaxFigures, b: TaxFigures): TaxFigures {
  return {
    gross: a.gross + b.gross,
    refunds: a.refunds + b.refunds,
    commission: a.commission + b.commission,
    fees: a.fees + b.fees,
  };
}

/** One instruction as far as it concerns sellers: what each of them got (or gave) on his accounts, and what it did to the platform. */
export interface TaxedInstruction {
  readonly kind: string;
  /** It has an entry on an order, or pays a refund. */
  readonly ofOrder: boolean;
  readonly commission: Minor;
  readonly fees: Minor;
  /** By seller, in the order of his id. */
  readonly sellers: readonly { readonly seller: string; readonly amount: Minor }[];
}

/**
 * What an instruction means for one seller. The commission of an instruction is divided among its sellers by what each got out of it (or gave
 * back); a correction takes away from what it corrects. What does not concern an order, or is no fee, is nobody's income.
 */
export function figuresOf(of: TaxedInstruction, seller: string): TaxFigures {
  const place = of.sellers.findIndex((each) => each.seller === seller);
  const amount = of.sellers[place]?.amount ?? 0n;
  if (amount === 0n) return NOTHING_EARNED;
  if (!of.ofOrder) return of.fees === 0n ? NOTHING_EARNED : { ...NOTHING_EARNED, fees: feesOf(of, place) };
  const isIncome = amount > 0n || of.kind === 'correction';
  const commission = commissionOf(of, place, amount);
  if (isIncome) return { ...NOTHING_EARNED, gross: amount + commission, commission };
  return { ...NOTHING_EARNED, refunds: -amount - commission, commission };
}

/** His part of the commission that has the sign of what he got. */
function commissionOf({ commission, sellers }: TaxedInstruction, place: number, amount: Minor): Minor {
  if (commission === 0n || commission > 0n !== amount > 0n) return 0n;
  const sameWay = sellers.map((each, at) => ({ at, weight: each.amount > 0n === amount > 0n ? abs(each.amount) : 0n }));
  const weights = sameWay.map(({ weight }) => weight);
  const parts = allocate(abs(commission), weights);
  const part = parts[place] ?? 0n;
  return commission > 0n ? part : -part;
}

/** His part of the fees: of a payout they are less than what left him, and where it came back they come back with it. */
function feesOf({ fees, sellers }: TaxedInstruction, place: number): Minor {
  const parts = allocate(
    abs(fees),
    sellers.map((each) => abs(each.amount)),
  );
  const part = parts[place] ?? 0n;
  return fees > 0n ? part : -part;
}

const abs = (amount: Minor): Minor => (amount < 0n ? -amount : amount);
