import { z } from 'zod';
import { type BusinessDate, type Minor, toYuan } from '../../kernel/index.js';
import { CnyAmount, IsoDate, IsoDateTime, Max35 } from './credit.js';
import { type CnapsCode, PARTICIPANT } from './envelope.js';
import { element, leaf, Unreadable } from './xml.js';

/**
 * What the systems answer, and what they are asked. The element names of ccms.900, 911 and 990 are those in use; those of the queries
 * with their answers, of ibps.102 and of the balance are ours, since their schemas are not public.
 */
export const TYPES = {
  received: 'ccms.990.001.02',
  confirmed: 'ccms.900.001.02',
  discarded: 'ccms.911.001.02',
  receipt: 'ibps.102.001.01',
  balanceAsked: 'saps.balance.001.01',
  balance: 'saps.balrpt.001.01',
} as const;

/** 业务查询 and 查复; IBPS has its own pair. */
export const QUERY_TYPES: Readonly<Record<CnapsCode, { readonly asked: string; readonly answered: string }>> = {
  hvps: { asked: 'ccms.314.001.01', answered: 'ccms.315.001.01' },
  beps: { asked: 'ccms.314.001.01', answered: 'ccms.315.001.01' },
  ibps: { asked: 'ibps.305.001.01', answered: 'ibps.306.001.01' },
};

/** Who says it in the document, and when. */
export interface Heading {
  readonly msgId: string;
  readonly createdAt: string;
}

const code = z.string().regex(/^[\x21-\x7e]{1,20}$/);
const grpHdr = z.object({ MsgId: Max35, CreDtTm: IsoDateTime });
const words = z.string().max(140);
const reference = z.string().min(1).max(35);

function headingElement(system: CnapsCode, { msgId, createdAt }: Heading): string {
  return element('GrpHdr', leaf('MsgId', msgId), leaf('CreDtTm', createdAt), leaf('SysCd', system.toUpperCase()));
}

function read<T extends z.ZodType>(schema: T, content: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw new Unreadable(`${what}: ${parsed.error.issues[0]?.path.join('/')} is not right`);
  return parsed.data;
}

/** 通信级确认 or, with why, 报文丢弃通知: what became of a message on the line; `mesgId` and type are those of its header. */
export interface LineAnswer {
  readonly mesgId: string;
  readonly type: string;
  /** The system's number for the message. */
  readonly reference: string;
  readonly code: string;
  readonly reason?: string;
}

export function receivedBody({ mesgId, type, reference, code }: LineAnswer): string {
  const inner = [leaf('OrigSndr', PARTICIPANT), leaf('MT', type), leaf('MsgId', mesgId)];
  return element('ComConf', element('ConfInf', ...inner, leaf('MsgRefId', reference), leaf('MsgPrcCd', code)));
}

export function discardedBody({ mesgId, type, reference, code, reason }: LineAnswer): string {
  const inner = [leaf('OrigSndr', PARTICIPANT), leaf('MT', type), leaf('MsgId', mesgId), leaf('MsgRefId', reference)];
  return element('DscrdMsgNtfctn', element('DscrdInf', ...inner, leaf('PrcCd', code), leaf('RjctInf', reason)));
}

const Received = z.object({
  ComConf: z.object({ ConfInf: z.object({ MsgId: reference, MsgRefId: reference, MsgPrcCd: code }) }),
});
const Discarded = z.object({
  DscrdMsgNtfctn: z.object({ DscrdInf: z.object({ MsgId: reference, PrcCd: code, RjctInf: words.exactOptional() }) }),
});

export function readReceived(content: unknown): { mesgId: string; reference: string; code: string } {
  const { MsgId, MsgRefId, MsgPrcCd } = read(Received, content, 'ccms.990').ComConf.ConfInf;
  return { mesgId: MsgId, reference: MsgRefId, code: MsgPrcCd };
}

export function readDiscarded(content: unknown): { mesgId: string; code: string; reason: string | undefined } {
  const { MsgId, PrcCd, RjctInf } = read(Discarded, content, 'ccms.911').DscrdMsgNtfctn.DscrdInf;
  return { mesgId: MsgId, code: PrcCd, reason: RjctInf };
}

/** What a system says of one payment: its processing state, and why if it was refused. */
export interface PaymentState {
  readonly txId: string;
  /** Of a query about what the system does not know there is none. */
  readonly state?: string;
  readonly code?: string;
  readonly reason?: string;
  /** The system's own number of the payment. */
  readonly reference?: string;
  /** The business date on which it was netted, settled or refused. */
  readonly date?: BusinessDate;
}

function stateElements({ state, code, reason, reference, date }: PaymentState): string {
  const elements = [leaf('PrcSts', state), leaf('PrcCd', code), leaf('RjctInf', reason), leaf('PrcDt', date)];
  return [...elements, leaf('ClrSysRef', reference)].join('');
}

const State = z.object({
  PrcSts: code.exactOptional(),
  PrcCd: code.exactOptional(),
  RjctInf: words.exactOptional(),
  PrcDt: IsoDate.exactOptional(),
  ClrSysRef: reference.exactOptional(),
});
const Original = z.object({ OrgnlTxId: Max35 });

function stateOf(txId: string, { PrcSts, PrcCd, RjctInf, PrcDt, ClrSysRef }: z.output<typeof State>): PaymentState {
  return {
    txId,
    ...(PrcSts === undefined ? {} : { state: PrcSts }),
    ...(PrcCd === undefined ? {} : { code: PrcCd }),
    ...(RjctInf === undefined ? {} : { reason: RjctInf }),
    ...(PrcDt === undefined ? {} : { date: PrcDt }),
    ...(ClrSysRef === undefined ? {} : { reference: ClrSysRef }),
  };
}

const CONFIRMATIONS = { 'ccms.900': 'CmonConf', 'ibps.102': 'CstmrCdtTrfRspn' } as const;
type Confirmation = keyof typeof CONFIRMATIONS;
const ofConfirmation = (root: string) =>
  z.object({ [root]: z.object({ GrpHdr: grpHdr, OrgnlTx: Original, CmonConfInf: State.required({ PrcSts: true }) }) });

/** 通用处理确认, or the receipt of IBPS: the state of one payment, named by its TxId since a package has many. */
export function confirmedBody(kind: Confirmation, system: CnapsCode, heading: Heading, state: PaymentState): string {
  const inner = [element('OrgnlTx', leaf('OrgnlTxId', state.txId)), element('CmonConfInf', stateElements(state))];
  return element(CONFIRMATIONS[kind], headingElement(system, heading), ...inner);
}

export function readConfirmed(kind: Confirmation, content: unknown): PaymentState {
  const root = CONFIRMATIONS[kind];
  const body = read(ofConfirmation(root), content, kind)[root];
  if (body === undefined) throw new Unreadable(`${kind} is empty`);
  return stateOf(body.OrgnlTx.OrgnlTxId, body.CmonConfInf);
}

/** Asks for the state of one payment. */
export function queryBody(system: CnapsCode, heading: Heading, txId: string): string {
  return element('BizQry', headingElement(system, heading), element('OrgnlTx', leaf('OrgnlTxId', txId)));
}

export function readQuery(content: unknown): string {
  return read(z.object({ BizQry: z.object({ GrpHdr: grpHdr, OrgnlTx: Original }) }), content, 'query').BizQry.OrgnlTx.OrgnlTxId;
}

export function queriedBody(system: CnapsCode, heading: Heading, state: PaymentState): string {
  const inner = [element('OrgnlTx', leaf('OrgnlTxId', state.txId)), element('TxInf', stateElements(state))];
  return element('BizQryRspn', headingElement(system, heading), ...inner);
}

const Queried = z.object({ BizQryRspn: z.object({ GrpHdr: grpHdr, OrgnlTx: Original, TxInf: State }) });

export function readQueried(content: unknown): PaymentState {
  const { OrgnlTx, TxInf } = read(Queried, content, 'answer to the query').BizQryRspn;
  return stateOf(OrgnlTx.OrgnlTxId, TxInf);
}

/** Asks what the clearing account has left for this system. */
export function balanceAskedBody(system: CnapsCode, heading: Heading): string {
  return element('AcctBalQry', headingElement(system, heading), element('Acct', leaf('Id', PARTICIPANT)));
}

export function readBalanceAsked(content: unknown): void {
  read(
    z.object({ AcctBalQry: z.object({ GrpHdr: grpHdr, Acct: z.object({ Id: z.literal(PARTICIPANT) }) }) }),
    content,
    'question',
  );
}

/** The balance that can be spent, in fen; below zero it is a debit. */
export function balanceBody(system: CnapsCode, heading: Heading, amount: Minor): string {
  const magnitude = amount < 0n ? -amount : amount;
  const sign = leaf('CdtDbtInd', amount < 0n ? 'DBIT' : 'CRDT');
  const balance = element('AvlblBal', leaf('Amt', toYuan(magnitude), ' Ccy="CNY"'), sign);
  return element('AcctBalRpt', headingElement(system, heading), element('Acct', leaf('Id', PARTICIPANT)), balance);
}

const Balance = z.object({
  AcctBalRpt: z.object({
    GrpHdr: grpHdr,
    Acct: z.object({ Id: z.literal(PARTICIPANT) }),
    AvlblBal: z.object({ Amt: CnyAmount, CdtDbtInd: z.enum(['CRDT', 'DBIT']) }),
  }),
});

export function readBalance(content: unknown): Minor {
  const { Amt, CdtDbtInd } = read(Balance, content, 'balance').AcctBalRpt.AvlblBal;
  return CdtDbtInd === 'DBIT' ? -Amt : Amt;
}
