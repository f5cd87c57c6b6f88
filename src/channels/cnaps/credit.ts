import { z } from 'zod';
import { type BusinessDate, fenOfYuan, type Minor, parseBusinessDate, toYuan } from '../../kernel/index.js';
import { BATCH_MAX, MESSAGE_NO_MAX } from '../port.js';
import type { CnapsCode } from './envelope.js';
import { element, leaf, Unreadable } from './xml.js';

/** The message of each system that carries customers' credit transfers. Only a package of BEPS holds more than one. */
export const CREDIT_TYPES: Readonly<Record<CnapsCode, string>> = {
  hvps: 'hvps.111.001.01',
  beps: 'beps.121.001.01',
  ibps: 'ibps.101.001.01',
};

/** 业务类型编码: 普通汇兑 and 退汇. */
export const ORDINARY = 'A100';
export const RETURNED = 'A105';

interface Party {
  /** CNAPS code, 12 digits. */
  readonly bank: string;
  readonly account: string;
  readonly name: string;
}

/** One credit transfer of a message: an order of ours, money that comes in, or a return (退汇). */
export interface CreditTransfer {
  readonly txId: string;
  /** 业务类型编码. */
  readonly category: string;
  /** Fen, above zero. */
  readonly amount: Minor;
  readonly date: BusinessDate;
  readonly payer: Party;
  readonly payee: Party;
  readonly remark: string;
  /** Of a return: the TxId of what comes back, and why. */
  readonly original?: string;
  readonly reason?: string;
}

export interface CreditMessage {
  readonly msgId: string;
  readonly createdAt: string;
  readonly transfers: readonly CreditTransfer[];
}

/** The body in the structure of pacs.008.001.02, with `CtrlSum` where the message is a package. */
export function creditBody(system: CnapsCode, { msgId, createdAt, transfers }: CreditMessage): string {
  const sum = transfers.reduce((total, transfer) => total + transfer.amount, 0n);
  const header = element(
    'GrpHdr',
    leaf('MsgId', msgId),
    leaf('CreDtTm', createdAt),
    leaf('NbOfTxs', String(transfers.length)),
    leaf('CtrlSum', system === 'beps' ? toYuan(sum) : undefined),
    element('SttlmInf', leaf('SttlmMtd', 'CLRG')),
  );
  return element('FIToFICstmrCdtTrf', header, ...transfers.map(transferElement));
}

function transferElement(transfer: CreditTransfer): string {
  const { txId, category, amount, date, payer, payee, remark, original, reason } = transfer;
  const agent = (name: string, bank: string) => element(name, element('FinInstnId', element('ClrSysMmbId', leaf('MmbId', bank))));
  const account = (name: string, no: string) => element(name, element('Id', element('Othr', leaf('Id', no))));
  const returned = element('Strd', element('RfrdDocInf', leaf('Nb', original)), leaf('AddtlRmtInf', reason));
  const remittance = [leaf('Ustrd', remark === '' ? undefined : remark), original === undefined ? '' : returned].join('');
  return element(
    'CdtTrfTxInf',
    element('PmtId', leaf('EndToEndId', txId), leaf('TxId', txId)),
    element('PmtTpInf', element('CtgyPurp', leaf('Prtry', category))),
    leaf('IntrBkSttlmAmt', toYuan(amount), ' Ccy="CNY"'),
    leaf('IntrBkSttlmDt', date),
    leaf('SttlmPrty', 'NORM'),
    leaf('ChrgBr', 'DEBT'),
    element('Dbtr', leaf('Nm', payer.name)),
    account('DbtrAcct', payer.account),
    agent('DbtrAgt', payer.bank),
    agent('CdtrAgt', payee.bank),
    element('Cdtr', leaf('Nm', payee.name)),
    account('CdtrAcct', payee.account),
    remittance === '' ? '' : element('RmtInf', remittance),
  );
}

const short = (max: number) => z.string().min(1).max(max);
export const Max35 = z.string().regex(new RegExp(`^[A-Za-z0-9_-]{1,${MESSAGE_NO_MAX}}$`));
export const IsoDateTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
export const IsoDate = z
  .string()
  .refine((text) => parseBusinessDate(text) !== undefined)
  .transform((text) => text as BusinessDate);
const Yuan = z.string().transform((text, context): Minor => {
  const amount = fenOfYuan(text);
  if (amount === undefined) context.addIssue('not yuan with two decimals');
  return amount ?? 0n;
});
export const CnyAmount = z.object({ '#text': Yuan, '@Ccy': z.literal('CNY') }).transform((amount) => amount['#text']);
const Agent = z
  .object({ FinInstnId: z.object({ ClrSysMmbId: z.object({ MmbId: z.string().regex(/^[0-9]{12}$/) }) }) })
  .transform((agent) => agent.FinInstnId.ClrSysMmbId.MmbId);
const Account = z.object({ Id: z.object({ Othr: z.object({ Id: short(34) }) }) }).transform((account) => account.Id.Othr.Id);
const Name = z.object({ Nm: short(140) }).transform((party) => party.Nm);
/** Lines of at most 140 characters, as many as the payer likes; an empty one is legal. */
const Lines = z.array(z.string().max(140)).transform((lines) => lines.filter((line) => line !== '').join(' '));
const Remittance = z
  .object({
    Ustrd: Lines.exactOptional(),
    // What comes back is one payment.
    Strd: z
      .array(z.object({ RfrdDocInf: z.object({ Nb: Max35 }), AddtlRmtInf: Lines.exactOptional() }))
      .max(1)
      .exactOptional(),
  })
  .or(z.literal('').transform(() => ({ Ustrd: undefined, Strd: undefined })));

const Transfer = z
  .object({
    PmtId: z.object({ EndToEndId: Max35, TxId: Max35 }),
    PmtTpInf: z.object({ CtgyPurp: z.object({ Prtry: z.string().regex(/^[A-Z][0-9]{3}$/) }) }),
    IntrBkSttlmAmt: CnyAmount.refine((amount) => amount > 0n && amount < 10n ** 18n),
    IntrBkSttlmDt: IsoDate,
    Dbtr: Name,
    DbtrAcct: Account,
    DbtrAgt: Agent,
    CdtrAgt: Agent,
    Cdtr: Name,
    CdtrAcct: Account,
    RmtInf: Remittance.exactOptional(),
  })
  .transform((read): CreditTransfer => {
    const back = read.RmtInf?.Strd?.[0];
    const reason = back?.AddtlRmtInf;
    return {
      txId: read.PmtId.TxId,
      category: read.PmtTpInf.CtgyPurp.Prtry,
      amount: read.IntrBkSttlmAmt,
      date: read.IntrBkSttlmDt,
      payer: { bank: read.DbtrAgt, account: read.DbtrAcct, name: read.Dbtr },
      payee: { bank: read.CdtrAgt, account: read.CdtrAcct, name: read.Cdtr },
      remark: read.RmtInf?.Ustrd ?? '',
      ...(back === undefined ? {} : { original: back.RfrdDocInf.Nb }),
      ...(reason === undefined || reason === '' ? {} : { reason }),
    };
  });

const Credit = z.object({
  FIToFICstmrCdtTrf: z.object({
    GrpHdr: z.object({
      MsgId: Max35,
      CreDtTm: IsoDateTime,
      NbOfTxs: z.string().regex(/^[1-9][0-9]{0,14}$/),
      CtrlSum: Yuan.exactOptional(),
      SttlmInf: z.object({ SttlmMtd: z.literal('CLRG') }),
    }),
    CdtTrfTxInf: z.array(Transfer).min(1).max(BATCH_MAX),
  }),
});

/**
 * Reads a message of credit transfers whole.
 * @throws Unreadable when a field is not right, when number or sum are not those of its transfers, when two of them have one TxId, or
 * when a system that takes one payment a message gets several
 */
export function readCredit(system: CnapsCode, content: unknown): CreditMessage {
  const read = Credit.safeParse(content);
  // What zod says would quote names of fields only; still the first is enough.
  if (!read.success) throw new Unreadable(`credit transfer: ${read.error.issues[0]?.path.join('/')} is not right`);
  const { GrpHdr, CdtTrfTxInf: transfers } = read.data.FIToFICstmrCdtTrf;
  const sum = transfers.reduce((total, transfer) => total + transfer.amount, 0n);
  if (GrpHdr.NbOfTxs !== String(transfers.length)) throw new Unreadable('NbOfTxs is not the number of transfers');
  if (GrpHdr.CtrlSum === undefined ? system === 'beps' : GrpHdr.CtrlSum !== sum)
    throw new Unreadable('CtrlSum is not the sum of the transfers');
  if (new Set(transfers.map((transfer) => transfer.txId)).size < transfers.length)
    throw new Unreadable('two transfers have one TxId');
  if (system !== 'beps' && transfers.length > 1) throw new Unreadable('more than one transfer in the message');
  return { msgId: GrpHdr.MsgId, createdAt: GrpHdr.CreDtTm, transfers };
}

/** What of a credit says whether it could be a return of ours at all; it may lack whatever else it likes. */
const Told = z.object({
  FIToFICstmrCdtTrf: z.object({
    CdtTrfTxInf: z.array(
      z.object({
        PmtTpInf: z
          .object({ CtgyPurp: z.object({ Prtry: z.string() }) })
          .optional()
          .catch(undefined),
        RmtInf: z.object({ Strd: z.unknown().optional() }).or(z.string()).optional(),
      }),
    ),
  }),
});

/**
 * Those credits of a message that name a payment as the one that comes back, but for ordinary credits, which are the core bank's business
 * whatever the payer wrote into them. Only what decides about our money is read strictly.
 * @throws Unreadable as `readCredit`, where one of them may be a return
 */
export function readNamed(system: CnapsCode, content: unknown): CreditTransfer[] {
  const told = Told.safeParse(content);
  const isOrdinary = told.data?.FIToFICstmrCdtTrf.CdtTrfTxInf.every(({ PmtTpInf, RmtInf }) => {
    const category = PmtTpInf?.CtgyPurp.Prtry;
    const namesNothing = typeof RmtInf !== 'object' || RmtInf.Strd === undefined;
    return category === ORDINARY || (category !== RETURNED && namesNothing);
  });
  if (isOrdinary === true) return [];
  return readCredit(system, content).transfers.filter(
    ({ category, original }) => category !== ORDINARY && original !== undefined,
  );
}
