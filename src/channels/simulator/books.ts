import type { BusinessDate, Minor } from '../../kernel/index.js';
import type { ChannelCode } from '../port.js';

/** The bank's own books: what was really paid, whatever was answered. Amounts in fen. */
export interface Books {
  readonly date: BusinessDate | undefined;
  readonly custody: { custodyNo: string; name: string; balance: Minor; reserved: Minor }[];
  /** The bank's own money in each channel that has some. */
  readonly floats: { channel: ChannelCode; balance: Minor; reserved: Minor }[];
  readonly payees: { payeeBank: string; payeeAccount: string; balance: Minor }[];
  readonly payments: {
    messageNo: string;
    channel: ChannelCode;
    status: string;
    amount: Minor;
    timesPaid: number;
    timesReturned: number;
  }[];
  readonly totals: {
    inflow: Minor;
    outflow: Minor;
    paid: Minor;
    returned: Minor;
    /** From cards, and what of it was charged back. */
    collected: Minor;
    chargedBack: Minor;
    /** Collected, and not yet on a custody account: the payment institution pays it over later. */
    inTransit: Minor;
    /** Message numbers paid more than once, over all channels together. */
    paidTwice: number;
  };
}

/** The totals of a bank on the day it was started. */
export const NOTHING = { inflow: 0n, outflow: 0n, paid: 0n, returned: 0n, collected: 0n, chargedBack: 0n, inTransit: 0n };
