import type { z } from 'zod';
import type { PolicyTable } from '../consents/index.js';
import {
  type BusinessDate,
  type Calendar,
  type Id,
  type Instant,
  type Minor,
  naturalDate,
  type Refusal,
} from '../kernel/index.js';
import type { AccountType, Book, HoldChange, LedgerAccount, Posting, RecordType } from '../ledger/index.js';
import type { ReviewRule } from '../reviews/index.js';
import type { Parameters, Vault } from '../runtime/index.js';

/** Who gave an instruction: P a platform, S the system itself, O a bank operator. */
export type Origin = 'P' | 'S' | 'O';

/** What makes it right that this money moves, besides the word of whoever sends the instruction. */
export const PROOFS = {
  inflow: { en: 'the money came into the custody account; the core bank’s statement must show it', zh: '入金以核心账户流水为准' },
  order: { en: 'the money stands on an order of this platform and goes where orders may go', zh: '订单资金，按订单规则' },
  will: { en: 'the customer’s own act for exactly this, or his live mandate', zh: '客户本人确认或有效授权' },
  'own-account': { en: 'the money goes to the account its owner bound', zh: '仅划付至本人绑定账户' },
  terms: { en: 'terms that the bank agreed with the platform beforehand cover it', zh: '银行事先审批的约定' },
  reservation: { en: 'the money stays with its owner', zh: '资金仍归本人' },
  authority: { en: 'a document of a court or another authority that may take it', zh: '有权机关文书' },
  channel: { en: 'a final answer of the channel or the core bank’s statement', zh: '渠道终态或核心对账单' },
  company: { en: 'the fund company’s word about an order of units that the customer gave', zh: '基金公司确认数据' },
  conditions: { en: 'the conditions of a deal that the bank keeps are met, or have failed', zh: '托管条件成就或未成就' },
  'two-people': { en: 'one person of the bank proposed it and another approved it', zh: '经办与复核双人确认' },
  bank: { en: 'the bank itself, or what it posted before', zh: '银行自身' },
} as const;
export type Proof = keyof typeof PROOFS;

/** One kind of instruction: everything about it, in one file. */
export interface Kind<Data = unknown> {
  readonly name: string;
  readonly en: string;
  readonly zh: string;
  readonly origins: readonly Origin[];
  readonly proof: Proof;
  /** From the wire form to the data that `decide` reads. */
  readonly schema: z.ZodType<Data>;
  /**
   * The fields of the wire form that name persons: sealed in the stored body and masked in answers. `decide` gets them sealed, hands
   * them on as they are, and reads with `at.vault.read` what it has to compare.
   */
  readonly personal?: readonly PersonalField[];
  /** The schema of the stored body, where what is personal has the length and the letters of sealed text. */
  readonly stored?: z.ZodType<Data>;
  /** A wire form, for the documents and the tests. */
  readonly example: unknown;
  /** The facts it must see, from its data alone. */
  readonly needs: (data: Data, at: At) => Needs;
  /** Further facts that only records name; asked again until it names nothing new. */
  readonly needsThen?: (data: Data, facts: Facts, at: At) => Needs;
  /** Records that it will make if all goes well, for those behind it in the batch to ask by what they have to see. */
  readonly foresees?: (data: Data, facts: Facts, at: At) => readonly RecordChange[];
  /** Pure: no clock, no chance, no database. Checks stand in the order of precedence of their refusals. */
  readonly decide: (data: Data, facts: Facts, at: At) => Decision;
  /**
   * Whose will it takes, and for what, where it debits a customer: his own act or, where the policy permits and `mandate` is named,
   * a live mandate. Counts only where the account is an electronic one. The engine asks; `decide` need not.
   */
  readonly act?: (data: Data) => Act;
  /** It brings income to receivers of orders: what they owe is recovered of it, and their margins are filled up. */
  readonly income?: true;
  /** How many ids in a row, from its own on, it may give to what it opens; its own alone where it says nothing. */
  readonly ids?: number;
  /** Whether it may touch the orders of deals; every other kind is refused there. */
  readonly onDeals?: (data: Data) => boolean;
  /** It may touch the accounts by which money of funds passes; every other kind is refused there. */
  readonly onFunds?: true;
  /** The records of an instruction that is refused after it has waited. */
  readonly whenRefused?: (data: Data, facts: Facts, at: At) => readonly RecordChange[];
  /** The records of an instruction that people look at from now on. */
  readonly whenInReview?: (data: Data, facts: Facts, at: At) => readonly RecordChange[];
  /** How a posted instruction of this kind is undone, if it can be. */
  readonly undo?: Undo<Data>;
}

/** A field of the data that names a person; it is stored sealed. */
export interface PersonalField {
  /** The keys that lead to it. */
  readonly path: readonly string[];
  /** What answers show of it. */
  readonly mask: (text: string) => string;
}

/** To whom the money of an act goes: `project` by the platform's number of what is lent to, `fund` by the code of whose units it buys. */
export type Payee =
  | { readonly account: Id }
  | { readonly orderNo: string }
  | { readonly project: string }
  | { readonly fund: string }
  | 'bound-card';

/** What a customer says yes to. */
export interface Act {
  /** His electronic account that is debited, or for which he is debited elsewhere. */
  readonly account: Id;
  /** Minor units; undefined: all that is there. */
  readonly amount: Minor | undefined;
  readonly payee: Payee;
  /** The fund whose units are redeemed for it. */
  readonly redeems?: string;
  /** What he gives up instead of money; then no amount is named. */
  readonly sells?: { readonly share: Minor; readonly price: Minor; readonly fee: Minor; readonly untilMs: Instant };
  readonly mandate?: Id | undefined;
  /** The number of the form that he signed at the counter: what staff has in place of his answer. */
  readonly voucher?: string | undefined;
}

export interface Undo<Data> {
  readonly origins: readonly Origin[];
  /** @param undone the instruction that is undone */
  readonly needs: (data: Data, at: At, undone: Id) => Needs;
  readonly needsThen?: (data: Data, facts: Facts, at: At) => Needs;
  /** The records as they are after the undoing (the postings are reversed by the correction itself), or why it cannot be. */
  readonly records: (
    data: Data,
    facts: Facts,
    at: At,
    undone: Id,
  ) => Refusal | { records: readonly RecordChange[]; boundary?: readonly Boundary[] };
}

export interface Needs {
  readonly accounts?: readonly Id[];
  // biome-ignore lint/suspicious/noExplicitAny: a list of different record types
  readonly records?: readonly (readonly [RecordType<any>, string])[];
}

/** The circumstances of one instruction. */
export interface At {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly origin: Origin;
  readonly nowMs: Instant;
  readonly book: Book;
  readonly calendar: Calendar;
  /** Limits, deadlines and rates by date. */
  readonly parameters: Parameters;
  /** What proof each kind needs, by the platform's profile. */
  readonly policies: PolicyTable;
  /** The approved rules that send instructions to review; undefined where the platform never had one. */
  readonly reviewRules?: readonly ReviewRule[] | undefined;
  readonly vault: Vault;
}

/** What it will look like once these records are kept: for a decision that is made of several in a row. */
export function factsWith(facts: Facts, changes: readonly RecordChange[]): Facts {
  return {
    account: (id) => facts.account(id),
    record: <Row>(type: RecordType<Row>, key: string) => {
      const changed = changes.findLast((each) => each.type === type && each.key === key);
      return changed === undefined ? facts.record(type, key) : (changed.row as Row);
    },
  };
}

/**
 * The last date on which money that the books take now can stand at the bank: the open business date, or today where midnight
 * has passed and the cut-off has not. No proof before that date's says whether the money really came.
 */
export function arrivalDate({ book, nowMs }: Pick<At, 'book' | 'nowMs'>): BusinessDate {
  const today = naturalDate(nowMs);
  return today > book.businessDate ? today : book.businessDate;
}

/** What a decision may look at: its platform's accounts and records, as the decisions before it left them. */
export interface Facts {
  /** Undefined when it is not there or belongs to another platform. */
  account(id: Id): LedgerAccount | undefined;
  record<Row>(type: RecordType<Row>, key: string): Row | undefined;
}

export interface RecordChange {
  // biome-ignore lint/suspicious/noExplicitAny: a list of different record types
  readonly type: RecordType<any>;
  readonly key: string;
  readonly row: unknown;
}

export function change<Row>(type: RecordType<Row>, key: string, row: Row): RecordChange {
  return { type, key, row };
}

/** Money over the wall of the custody account: positive in, negative out; the statement shows it under `reference`. */
export interface Boundary {
  readonly reference: string;
  readonly amount: Minor;
}

/** What an instruction does when it is posted. */
export interface Effects {
  readonly opens?: readonly { readonly id: Id; readonly type: AccountType }[];
  readonly postings: readonly Posting[];
  /**
   * Money that comes to an electronic account and leaves it in this same decision, which posts nothing on it: the law counts both.
   */
  readonly through?: readonly { readonly account: Id; readonly amount: Minor; readonly from: Flow; readonly to: Flow }[];
  /** Accounts that are empty now, and closed for ever. */
  readonly closes?: readonly Id[];
  readonly holds?: readonly HoldChange[];
  readonly claims?: readonly HoldChange[];
  readonly records?: readonly RecordChange[];
  readonly boundary?: readonly Boundary[];
  /** What others are told besides the outcome itself. */
  readonly events?: readonly { readonly topic: Topic; readonly ref: Id }[];
  /** What the caller is told, in wire form. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** By how much it differs from what an agreement makes, in basis points: two people of the bank have to want it so. */
  readonly deviation?: number | undefined;
}

export type Topic =
  | 'instruction.posted'
  | 'instruction.refused'
  | 'review.asked'
  | 'account.low'
  | 'payout.created'
  | 'payout.settled'
  | 'payout.failed'
  | 'payout.returned'
  | 'batch.accepted'
  | 'batch.rejected'
  | 'batch.waiting'
  | 'batch.finished';

/**
 * Not decided now. funds: it leaves the inbox, and its records say what has it tried again; review: it leaves the inbox until people have
 * decided, and its money is held; next-batch: it is the first of the next batch, which sees what was made in this one.
 */
export type Waiting =
  | { readonly waits: 'funds'; readonly records: readonly RecordChange[] }
  | { readonly waits: 'review'; readonly holds: readonly HoldChange[]; readonly records: readonly RecordChange[] }
  | { readonly waits: 'next-batch' };

type Flow = NonNullable<Posting['flow']>;

export type Decision = { readonly refused: Refusal } | Waiting | Effects;

export function refused(refusal: Refusal): { refused: Refusal } {
  return { refused: refusal };
}
