import type { AskedModelBackground } from './model/agreements.js';

/** The wire form of an instruction's data; each kind reads the fields that its form has. */
export interface Data {
  orderNo: string;
  amount: { amount: number; currency: 'CNY' };
  payer: { name: string; account: string; bankCode?: string };
  reference: string;
  background: AskedModelBackground;
  orders: { orderNo: string; amount: { amount: number; currency: 'CNY' }; background: AskedModelBackground }[];
  items: { item: string; amount?: { amount: number }; evidence?: string }[];
  lines: { account: string; amount: { amount: number; currency: 'CNY' } }[];
  account: string;
  from: string;
  to: string | { orderNo: string } | { account: string };
  mandate: string;
  fee: { amount: number; currency: 'CNY' };
  voucher: string;
  through: string;
  product: string;
  rate: number;
  hold: string;
  holds: string[];
  dispute: string;
  result: string;
  deduction: string;
  payout: string;
  payouts: string[];
  channel: string;
  acquirer: string;
  direction: 'debit' | 'credit';
  instruction: string;
  item: string;
  proposal: string;
  purpose: string;
  for: string;
  reason: string;
  expiresAt: string;
  recall: 'pro-rata' | Data['lines'];
  subsidy: 'pro-rata' | 'keep' | Data['amount'];
  unsent: boolean;
}

export interface Given {
  readonly id: string;
  readonly platform: string;
  readonly origin: 'P' | 'S' | 'O';
  readonly kind: string;
  readonly data: Partial<Data>;
  /** What the customer says when he is asked; `unasked`: it came without anybody asking him. */
  readonly answer?: Answer | undefined;
}
export type Answer = 'yes' | 'no' | 'late' | 'locked' | 'stranger' | 'unasked';
